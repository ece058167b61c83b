import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { run, startChild } from './child-process.ts';
import type { ChildExit, Finished } from './child-process.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { exchange } from './raw-client.ts';
import { makeScratch } from './scratch.ts';
import type { Scratch } from './scratch.ts';
import { type HttpMessage, status } from './http-message.ts';

/** A route as an operator writes it; `name`, `match` and `backend` have defaults here. */
export type RouteText = Readonly<Record<string, unknown>>;

/** What goes into the generated configuration file. */
export interface GatewayOptions {
  /** The backend of the one route `files` at `/`, unless `routes` says otherwise. */
  readonly backend?: string;
  /** Fields of that one route, over the defaults. */
  readonly route?: RouteText;
  /** Whole routes instead. */
  readonly routes?: readonly RouteText[];
  /** Top-level fields, over the defaults. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Fields of `listen`, over its host and port. */
  readonly listen?: Readonly<Record<string, unknown>>;
  /** Where the admin listener listens. Default 127.0.0.1. */
  readonly adminHost?: string;
  /** Added to the environment of the process and of its commands. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a token of a test is made. */
export interface TokenOptions {
  /** Default alice. */
  readonly user?: string;
  /** Default `*`. */
  readonly scopes?: readonly string[];
  /** Further command line arguments. */
  readonly args?: readonly string[];
}

/** The product as a process of its own, started as an operator would. */
export interface Gateway {
  readonly pid: number;
  readonly port: number;
  readonly adminPort: number;
  /** Origin, without a slash at its end. */
  readonly url: string;
  readonly scratch: Scratch;
  readonly configFile: string;
  readonly dataDir: string;
  /** Runs `latchkey ARGS --config FILE`; any exit code resolves. */
  command(args: readonly string[], input?: string): Promise<Finished>;
  /** Adds a user; with a password where one is given. */
  user(name: string, password?: string): Promise<void>;
  /** Mints a token and returns its value. The same options twice are the same token. */
  token(options?: TokenOptions): Promise<string>;
  /** Every line of JSON that the process has written, parsed. */
  logLines(): readonly Readonly<Record<string, unknown>>[];
  /** Everything it has written. */
  output(): string;
  /** The sum of a metric over all label sets that hold `labels`; 0 where there is none. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  metricsText(): Promise<string>;
  /** Resident memory of the process right now, bytes. */
  residentBytes(): Promise<number>;
  /** The status of an admin address, or null where nothing listens any more. */
  adminStatus(path: string): Promise<number | null>;
  /** Writes a configuration file in place of the old one; `text` is taken as it is. */
  rewriteConfig(change: Readonly<Record<string, unknown>> | { readonly text: string }): Promise<void>;
  hup(): void;
  term(): void;
  readonly exited: Promise<ChildExit>;
  /** Stops it and asserts that it had not crashed and ends with code 0. Removes its folder. */
  stop(): Promise<void>;
}

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Starts `latchkey serve` with a generated configuration and waits until it is ready. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const scratch = await makeScratch('gateway');
  const [port, adminPort] = [await freePort(), await freePort()];
  const { adminHost = '127.0.0.1' } = options;
  const dataDir = scratch.file('data');
  await mkdir(dataDir);
  const configFile = scratch.file('latchkey.yaml');
  const config: Readonly<Record<string, unknown>> = {
    listen: { host: '127.0.0.1', port, ...options.listen },
    admin: { host: adminHost, port: adminPort },
    dataDir,
    store: `sqlite:${scratch.file('data', 'latchkey.db')}`,
    routes: options.routes ?? [route({ backend: options.backend, ...options.route })],
    ...options.config,
  };
  // JSON is YAML.
  await writeFile(configFile, JSON.stringify(config, null, 2));
  const { env = {} } = options;
  const child = startChild({
    label: 'latchkey serve',
    command: process.execPath,
    args: [mainFile, 'serve', '--config', configFile],
    cwd: scratch.path,
    env,
  });

  const runCommand = (commandArgs: readonly string[], input?: string): Promise<Finished> =>
    run({
      label: `latchkey ${commandArgs.join(' ')}`,
      command: process.execPath,
      args: [mainFile, ...commandArgs, '--config', configFile],
      cwd: scratch.path,
      env,
      ...(input === undefined ? {} : { input }),
    });
  const succeed = async (commandArgs: readonly string[], input?: string): Promise<Finished> => {
    const done = await runCommand(commandArgs, input);
    assert.equal(done.code, 0, `latchkey ${commandArgs.join(' ')}: ${done.stdout}${done.stderr}`);
    return done;
  };
  const minted = new Map<string, Promise<string>>();
  const askAdmin = (path: string): Promise<HttpMessage> =>
    exchange(adminPort, 'GET', path, [], '', { host: adminHost });
  const adminStatus = (path: string): Promise<number | null> => askAdmin(path).then(status, () => null);
  const metricsText = async (): Promise<string> => (await askAdmin('/metrics')).body.toString('utf8');

  try {
    await eventually(
      'latchkey serve to be ready',
      async () => !child.running() || (await adminStatus('/readyz')) === 200,
      { withinMs: 60_000, everyMs: 50 },
    );
    if (!child.running()) throw new Error('latchkey serve ended at once');
  } catch (error) {
    await child.stop();
    await scratch.remove();
    throw new Error(`${String(error)}\n${child.stdout()}\n${child.stderr()}`, { cause: error });
  }

  return {
    pid: child.pid,
    port,
    adminPort,
    url: `http://127.0.0.1:${port}`,
    scratch,
    configFile,
    dataDir,
    command: runCommand,
    async user(name, password) {
      const passwordArgs = password === undefined ? [] : ['--password-stdin'];
      await succeed(['user', 'add', name, ...passwordArgs], password);
    },
    token(tokenOptions = {}) {
      const { user = 'alice', scopes = ['*'], args: more = [] } = tokenOptions;
      const tokenArgs = [
        ...['token', 'create', '--user', user, '--name', `test ${minted.size}`, '--quiet'],
        ...scopes.flatMap((scope) => ['--scope', scope]),
        ...more,
      ];
      const key = JSON.stringify([user, scopes, more]);
      const token = minted.get(key) ?? succeed(tokenArgs).then(({ stdout }) => stdout.trim());
      minted.set(key, token);
      return token;
    },
    logLines: () =>
      `${child.stdout()}\n${child.stderr()}`.split('\n').flatMap((line) => {
        try {
          return line.startsWith('{') ? [JSON.parse(line) as Readonly<Record<string, unknown>>] : [];
        } catch {
          return [];
        }
      }),
    output: () => `${child.stdout()}\n${child.stderr()}`,
    async metric(name, labels = {}) {
      return sumMetric(await metricsText(), name, labels);
    },
    metricsText,
    async residentBytes() {
      const text = await readFile(`/proc/${child.pid}/status`, 'utf8');
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) * 1024;
    },
    adminStatus,
    async rewriteConfig(change) {
      const text =
        'text' in change ? String(change['text']) : JSON.stringify({ ...config, ...change }, null, 2);
      await writeFile(configFile, text);
    },
    hup() {
      child.signal('SIGHUP');
    },
    term() {
      child.signal('SIGTERM');
    },
    exited: child.exited,
    async stop() {
      const early = !child.running();
      const { code, signal } = await child.stop(15_000);
      await scratch.remove();
      assert.deepEqual(
        { code, signal },
        { code: 0, signal: null },
        `latchkey serve ${early ? 'had already ended' : 'did not end cleanly'}:\n${child.stdout()}\n${child.stderr()}`,
      );
    },
  };
}

/** A route `files` at `/` with every default a test of WebDAV wants, and `fields` over them. */
export function route(fields: RouteText): RouteText {
  return {
    name: 'files',
    match: { path: '/' },
    kind: 'webdav',
    accept: ['basic', 'bearer'],
    identity: { user: 'X-Remote-User' },
    ...fields,
  };
}

/** The value of an Authorization field with a token as Basic password. */
export function basic(user: string, token: string): string {
  return `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
}

function sumMetric(text: string, name: string, labels: Readonly<Record<string, string>>): number {
  let sum = 0;
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
    if (match?.[1] !== name) continue;
    const holds = Object.entries(labels).every(
      ([key, value]) => match[2]?.includes(`${key}="${value}"`) === true,
    );
    if (holds) sum += Number(match[3]);
  }
  return sum;
}
