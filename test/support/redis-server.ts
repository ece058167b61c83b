import { writeFile } from 'node:fs/promises';
import type { RedisConfig } from '../../src/config/config.ts';
import { makeCertificates } from './certificates.ts';
import { run, startChild } from './child-process.ts';
import type { Child } from './child-process.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { makeScratch } from './scratch.ts';
import type { Scratch } from './scratch.ts';

/** How a test wants its Redis. */
export interface RedisServerOptions {
  /** Taken again after `kill` and `restart`; default: a free one. */
  readonly port?: number;
  /** Asked of every client. */
  readonly password?: string;
  /** Listens with TLS only, with a certificate of its own authority. */
  readonly tls?: boolean;
  /** Listens on a unix socket too. */
  readonly unixSocket?: boolean;
  /** Further lines of redis.conf. */
  readonly settings?: readonly string[];
  /** Runs as a Sentinel. */
  readonly sentinel?: boolean;
}

/** A real redis-server, empty at first, that lives as long as its test. */
export interface RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:PORT`, or `rediss:`; the password is not in it. */
  readonly url: string;
  /** Path of its unix socket; there only where asked for. */
  readonly socketPath: string;
  /** PEM of the authority that signed its certificate; null without TLS. */
  readonly ca: string | null;
  /** A configuration that reaches it. */
  config(changes?: Partial<RedisConfig>): RedisConfig;
  /** Runs redis-cli against it and resolves to what it printed; rejects where it failed. */
  cli(...args: readonly string[]): Promise<string>;
  /** Every string whose key matches the pattern. */
  snapshot(pattern: string): Promise<ReadonlyMap<string, string>>;
  /** SIGSTOP: connections stay, nothing is answered. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** SIGKILL; resolves once it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port, with nothing in it. */
  restart(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

/** Starts a redis-server on 127.0.0.1; resolves once it answers. Needs redis-server, redis-cli and, for TLS, openssl. */
export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const scratch = await makeScratch('redis');
  const port = options.port ?? (await freePort());
  const ca = options.tls === true ? await makeCertificates(scratch) : null;
  const socketPath = scratch.file('redis.sock');
  const settings = scratch.file('redis.conf');
  await writeFile(settings, settingsFor(options, port, scratch));

  const cliArgs = ['-p', String(port), '--no-auth-warning', '-e'];
  if (options.password !== undefined) cliArgs.push('-a', options.password);
  if (ca !== null) cliArgs.push('--tls', '--cacert', scratch.file('ca.pem'));
  const cli = async (...args: readonly string[]): Promise<string> => {
    const done = await run({
      label: 'redis-cli',
      command: 'redis-cli',
      args: [...cliArgs, ...args],
      withinMs: 20_000,
    });
    if (done.code !== 0) throw new Error(`redis-cli ${args.join(' ')}: ${done.stdout}${done.stderr}`);
    return done.stdout.trim();
  };
  const start = async (): Promise<Child> => {
    const args = options.sentinel === true ? [settings, '--sentinel'] : [settings];
    const started = startChild({ label: 'redis-server', command: 'redis-server', args });
    await started.waitForPort(port);
    await eventually('redis-server to answer', async () => (await cli('ping')) === 'PONG');
    return started;
  };
  let child = await start();
  const kill = async (): Promise<void> => {
    child.signal('SIGKILL');
    await child.exited;
  };

  return {
    port,
    socketPath,
    ca,
    url: `${ca === null ? 'redis' : 'rediss'}://127.0.0.1:${port}`,
    config: (changes = {}) =>
      redisConfig([`${ca === null ? 'redis' : 'rediss'}://127.0.0.1:${port}`], changes),
    cli,
    async snapshot(pattern) {
      const keys = (await cli('keys', pattern)).split('\n').filter((key) => key !== '');
      const values = new Map<string, string>();
      for (const key of keys) values.set(key, await cli('get', key));
      return values;
    },
    pause: () => child.signal('SIGSTOP'),
    resume: () => child.signal('SIGCONT'),
    kill,
    async restart() {
      await kill();
      child = await start();
    },
    async stop() {
      await kill();
      await scratch.remove();
    },
  };
}

/** A configuration of one standalone server with everything else at its default. */
export function redisConfig(nodes: readonly string[], changes: Partial<RedisConfig> = {}): RedisConfig {
  return {
    mode: 'standalone',
    nodes,
    sentinelName: null,
    sentinelUsername: null,
    sentinelPassword: null,
    username: null,
    password: null,
    database: 0,
    tls: null,
    ...changes,
  };
}

function settingsFor(options: RedisServerOptions, port: number, scratch: Scratch): string {
  const lines = ['bind 127.0.0.1', `dir ${scratch.path}`, 'daemonize no'];
  if (options.tls === true) {
    lines.push('port 0', `tls-port ${port}`, 'tls-auth-clients no');
    lines.push(`tls-cert-file ${scratch.file('server.pem')}`, `tls-key-file ${scratch.file('server.key')}`);
    lines.push(`tls-ca-cert-file ${scratch.file('ca.pem')}`);
  } else {
    lines.push(`port ${port}`);
  }
  if (options.sentinel !== true) lines.push('save ""', 'appendonly no');
  if (options.unixSocket === true) lines.push(`unixsocket ${scratch.file('redis.sock')}`);
  if (options.password !== undefined) lines.push(`requirepass "${options.password}"`);
  return `${[...lines, ...(options.settings ?? [])].join('\n')}\n`;
}
