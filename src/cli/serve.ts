import type { Writable } from 'node:stream';
import type { Command } from 'commander';
import type { Gateway } from '../compose/gateway.ts';
import type { Config } from '../config/config.ts';
import { storeName } from '../config/store-config.ts';
import { Fault } from '../core/errors.ts';
import { printable } from '../core/printable.ts';
import { sitePath } from '../core/site-path.ts';
import {
  addConfigOptions,
  configFailure,
  readCommandConfig,
  requireCommandConfig,
} from './command-config.ts';
import type { CommandIo } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';

/** Adds `latchkey serve`: runs until TERM or INT, reloads at HUP. */
export function registerServe(program: Command, io: CommandIo, version: string): void {
  const command = addConfigOptions(program.command('serve'))
    .description('run the gateway')
    .option('--admin-port <number>', 'port of health, metrics and keys (default: 8081)')
    .addHelpText(
      'after',
      '\nSignals: TERM and INT finish running requests and end with 0; HUP reads the configuration again and keeps the old one where the new one is wrong.\n',
    );
  command.action(() => serve(command, io, version));
}

async function serve(command: Command, io: CommandIo, version: string): Promise<void> {
  let gateway: Gateway | null = null;
  let isReloadDue = false;
  const reload = (): void => {
    if (gateway === null) isReloadDue = true;
    else void reloadConfig(gateway, command, io);
  };
  process.on('SIGHUP', reload);
  // Heard from the beginning: a TERM during the start ends the gateway in order, once it stands.
  const stopped = stopSignal();
  try {
    const loaded = await requireCommandConfig(command, io, 'required');
    gateway = await start(loaded.config, version, io.logStream());
    announce(gateway, loaded.config, loaded.file, io);
    await announceFirstAdmin(gateway, loaded.config, io);
    // What was read may be older than a HUP that came during the start.
    if (isReloadDue) reload();
    const signal = await stopped;
    gateway.log.info({ signal }, 'draining');
    await gateway.drain();
  } finally {
    process.off('SIGHUP', reload);
  }
}

async function start(config: Config, version: string, logStream: Writable): Promise<Gateway> {
  try {
    const { startGateway } = await import('../compose/gateway.ts');
    return await startGateway(config, { version, logStream });
  } catch (error) {
    throw startFailure(error, config);
  }
}

/** What Node says about sockets and names. */
interface SystemError extends NodeJS.ErrnoException {
  readonly hostname?: string;
  readonly port?: number;
}

/** What keeps a gateway from starting, as a sentence with the next step. */
function startFailure(error: unknown, config: Config): unknown {
  if (error instanceof Fault) return new CommandFailure(exitCodes.fault, error.message, error);
  const { code, hostname, port, syscall } = error as SystemError;
  if (syscall === 'getaddrinfo') {
    const names = hostKeys(config).find(([host]) => host === hostname)?.[1] ?? 'admin.host';
    const advice = `correct ${names}, or give it an address of this machine`;
    return new CommandFailure(
      exitCodes.fault,
      `cannot listen: there is no host ${hostname}: ${advice}.`,
      error,
    );
  }
  if (syscall !== 'listen' || code === undefined) return error;
  const [key, hostKey] =
    port === config.admin.port
      ? ['admin.port (--admin-port)', 'admin.host']
      : port === config.doors.port
        ? ['doors.port', 'doors.host']
        : port === config.doors.grpcPort
          ? ['doors.grpcPort', 'doors.host']
          : ['listen.port (--port)', 'listen.host (--host)'];
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `another program listens on port ${port}: stop it, or choose another ${key}`,
    EACCES: `this user may not listen on port ${port}: choose a ${key} above 1023`,
    EADDRNOTAVAIL: `the address for port ${port} is not one of this machine: check ${hostKey}`,
  };
  const reason = why[code] ?? `the system says ${code} for port ${port}: check ${key}`;
  return new CommandFailure(exitCodes.fault, `cannot listen: ${reason}.`, error);
}

function hostKeys({ listen, admin, doors }: Config): readonly (readonly [string | null, string])[] {
  return [
    [listen.host, 'listen.host (--host)'],
    [admin.host, 'admin.host'],
    [doors.host, 'doors.host'],
  ];
}

function doorLines({ doors }: Gateway, { doors: { host, open } }: Config): readonly string[] {
  const lines: string[] = [];
  if (doors.port !== null) lines.push(`doors for ${open.join(', ')} on ${host} port ${doors.port}`);
  if (doors.grpcPort !== null) lines.push(`the door for envoy over gRPC on ${host} port ${doors.grpcPort}`);
  return lines;
}

function announce(gateway: Gateway, config: Config, file: string | null, io: CommandIo): void {
  const host = config.listen.host ?? 'every address';
  const tls = config.listen.tls === null ? '' : ', TLS';
  const adminHost = config.admin.host.includes(':') ? `[${config.admin.host}]` : config.admin.host;
  const lines = [
    `latchkey listens on port ${gateway.port} (${host}${tls})`,
    ...config.routes.map(
      ({ name, match, backend }) => `  ${match.host ?? ''}${match.path} → ${backend.join(', ')} (${name})`,
    ),
    ...(config.portal.enabled ? [`pages for people on ${siteUrl(gateway, config)}`] : []),
    `health and metrics on http://${adminHost}:${gateway.adminPort}`,
    ...doorLines(gateway, config),
    `configuration: ${file ?? 'flags, environment and defaults'}; store: ${storeName(config.store)}`,
  ];
  io.stderr(`${lines.map(printable).join('\n')}\n`);
}

/** Where a browser finds the pages, as far as we know. */
function siteUrl(gateway: Gateway, { listen, portal }: Config): string {
  const host =
    listen.host === null ? 'localhost' : listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  const scheme = listen.tls === null ? 'http' : 'https';
  return `${portal.url ?? `${scheme}://${host}:${gateway.port}`}${sitePath}/`;
}

/** As long as there is no admin, whoever reads this terminal may become the first one. */
async function announceFirstAdmin(gateway: Gateway, config: Config, io: CommandIo): Promise<void> {
  const secret = await gateway.firstAdminLink();
  if (secret === null) return;
  const link = `${siteUrl(gateway, config)}welcome/${secret}`;
  io.stderr(`there is no admin yet; whoever opens this once, within a day, becomes one:\n  ${link}\n`);
}

/** All or nothing: a configuration with any problem changes nothing. */
async function reloadConfig(gateway: Gateway, command: Command, io: CommandIo): Promise<void> {
  try {
    const result = await readCommandConfig(command, io, 'required');
    if (result.kind === 'invalid') throw configFailure(result);
    const waiting = gateway.reload(result.config);
    gateway.log.info({ needRestart: waiting }, 'configuration reloaded');
    if (waiting.length > 0)
      io.stderr(`latchkey: reloaded; changes to ${waiting.join(', ')} need a restart\n`);
  } catch (error) {
    gateway.reloadFailed();
    const reason = error instanceof Error ? error.message : 'unknown reason';
    gateway.log.error({ reason }, 'configuration not reloaded: the old one stays in force');
    io.stderr(`latchkey: not reloaded, the old configuration stays in force: ${reason}\n`);
  }
}

function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const stop = (signal: NodeJS.Signals): void => {
      process.off('SIGTERM', stop).off('SIGINT', stop);
      resolve(signal);
    };
    process.on('SIGTERM', stop).on('SIGINT', stop);
  });
}
