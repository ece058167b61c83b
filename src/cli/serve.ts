import path from 'node:path';
import { type Command, Option } from 'commander';
import type { Gateway } from '../compose/gateway.ts';
import type { Workers } from '../compose/workers.ts';
import type { Config } from '../config/config.ts';
import { storeName } from '../config/store-config.ts';
import { printable } from '../core/printable.ts';
import { sitePath } from '../core/site-path.ts';
import {
  addConfigOptions,
  configFailure,
  readCommandConfig,
  requireCommandConfig,
} from './command-config.ts';
import type { CommandIo } from './command-io.ts';
import { startFailure } from './start-failure.ts';
import { serveAsWorker } from './worker.ts';

/** One process or several. */
type Served = Gateway | Workers;

/** Adds `latchkey serve`: runs until TERM or INT, reloads at HUP. */
export function registerServe(program: Command, io: CommandIo, version: string): void {
  const command = addConfigOptions(program.command('serve'))
    .description('run the gateway')
    .option('--admin-port <number>', 'port of health, metrics and keys (default: 8081)')
    .option('--workers <number>', 'processes that serve; auto is one per core (default: 1)')
    .addOption(new Option('--worker', 'run as one of them').hideHelp())
    .addHelpText(
      'after',
      '\nSignals: TERM and INT finish running requests and end with 0; HUP reads the configuration again and keeps the old one where the new one is wrong.\n',
    );
  command.action(() =>
    command.opts<{ readonly worker?: boolean }>().worker === true
      ? serveAsWorker(io, version)
      : serve(command, io, version),
  );
}

async function serve(command: Command, io: CommandIo, version: string): Promise<void> {
  let gateway: Served | null = null;
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
    gateway = await start(loaded.config, version, io);
    announce(gateway, loaded.config, loaded.file, io);
    await announceFirstAdmin(gateway, loaded.config, io);
    // What was read may be older than a HUP that came during the start.
    if (isReloadDue) reload();
    const end = await Promise.race('hopeless' in gateway ? [stopped, gateway.hopeless] : [stopped]);
    gateway.log.info(typeof end === 'string' ? { signal: end } : {}, 'draining');
    await gateway.drain();
    if (typeof end !== 'string') throw startFailure(end, loaded.config);
  } finally {
    process.off('SIGHUP', reload);
  }
}

async function start(config: Config, version: string, io: CommandIo): Promise<Served> {
  try {
    if (config.workers > 1) return await startSeveral(config, io);
    const { startGateway } = await import('../compose/gateway.ts');
    return await startGateway(config, { version, logStream: io.logStream(), place: null });
  } catch (error) {
    throw startFailure(error, config);
  }
}

async function startSeveral(config: Config, io: CommandIo): Promise<Workers> {
  const { startWorkers } = await import('../compose/workers.ts');
  // The same program: sources here, or what was built from them.
  const file = path.join(import.meta.dirname, `../main${path.extname(import.meta.filename)}`);
  return startWorkers(config, { logStream: io.logStream(), program: { file, args: ['serve', '--worker'] } });
}

function doorLines({ doors }: Served, { doors: { host, open } }: Config): readonly string[] {
  const lines: string[] = [];
  if (doors.port !== null) {
    const who = open.length === 0 ? '' : ` for ${open.join(', ')}`;
    lines.push(`doors${who}, and /verify, on ${host} port ${doors.port}`);
  }
  if (doors.grpcPort !== null) lines.push(`the door for envoy over gRPC on ${host} port ${doors.grpcPort}`);
  return lines;
}

function announce(gateway: Served, config: Config, file: string | null, io: CommandIo): void {
  const host = config.listen.host ?? 'every address';
  const where = config.listen.socket ?? `port ${gateway.port}`;
  const listenKind = config.listen.socket === null ? host : 'socket';
  const tls = config.listen.tls === null ? '' : ', TLS';
  const adminHost = config.admin.host.includes(':') ? `[${config.admin.host}]` : config.admin.host;
  const lines = [
    `latchkey listens on ${where} (${listenKind}${tls})${config.workers > 1 ? ` in ${config.workers} workers` : ''}`,
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
function siteUrl(gateway: Served, { listen, portal }: Config): string {
  const host =
    listen.host === null ? 'localhost' : listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  const scheme = listen.tls === null ? 'http' : 'https';
  const authority = listen.socket === null ? `${host}:${gateway.port}` : 'localhost';
  return `${portal.url ?? `${scheme}://${authority}`}${sitePath}/`;
}

/**
 * As long as there is no admin, whoever reads this terminal may become the first one. Never rejects: the gateway serves
 * already, and a store that takes no link just now is no reason to stop.
 */
async function announceFirstAdmin(gateway: Served, config: Config, io: CommandIo): Promise<void> {
  let secret: string | null;
  try {
    secret = await gateway.firstAdminLink();
  } catch (error) {
    gateway.log.warn({ error }, 'no link for a first admin could be made');
    const reason = error instanceof Error ? error.message : 'unknown reason';
    const advice = '`latchkey user admin-link` makes one where there is no admin yet';
    io.stderr(`latchkey: no link for a first admin could be made: ${printable(reason)} ${advice}.\n`);
    return;
  }
  if (secret === null) return;
  const link = `${siteUrl(gateway, config)}welcome/${secret}`;
  io.stderr(`there is no admin yet; whoever opens this once, within a day, becomes one:\n  ${link}\n`);
}

/** All or nothing: a configuration with any problem changes nothing. */
async function reloadConfig(gateway: Served, command: Command, io: CommandIo): Promise<void> {
  try {
    const result = await readCommandConfig(command, io, 'required');
    if (result.kind === 'invalid') throw configFailure(result);
    const waiting = await gateway.reload(result.config);
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
