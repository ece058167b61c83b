import { existsSync, globSync, readFileSync } from 'node:fs';
import { chmod, chown, rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PostgresConfig } from '../../src/config/store-config.ts';
import { makeCertificates } from './certificates.ts';
import { type Child, run, startChild } from './child-process.ts';
import { freePort } from './free-port.ts';
import type { Requirement } from './requirement.ts';
import { makeScratch, type Scratch } from './scratch.ts';

/** How a test wants its PostgreSQL. */
export interface PostgresOptions {
  /** Address that it listens on beside its unix socket. Default 127.0.0.1. */
  readonly listen?: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Put before the server's command, such as `ip netns exec NAME`. */
  readonly prefix?: readonly string[];
  /** The same, behind what drops root's rights. */
  readonly innerPrefix?: readonly string[];
  /** Asked of `latchkey` over TCP; by default nobody is asked for one. */
  readonly password?: string;
  /** Speaks TLS too, with a certificate of an authority of its own. */
  readonly tls?: boolean;
  /** Follows another server that never comes: reads only. */
  readonly standby?: boolean;
  /** Further lines of postgresql.conf. */
  readonly settings?: readonly string[];
}

/** A real PostgreSQL with nothing in it, that lives as long as its test. Everything in it is lost with the machine. */
export interface PostgresServer {
  readonly port: number;
  /** The folder of its unix socket. */
  readonly socketFolder: string;
  /** PEM of the authority that signed its certificate; null without TLS. */
  readonly ca: string | null;
  /** The pid of the postmaster. */
  pid(): number;
  /** Makes an empty database that belongs to the plain user `latchkey`; resolves to its name. */
  createDatabase(): Promise<string>;
  /** `postgres://latchkey@127.0.0.1:PORT/DATABASE`; the password is not in it. */
  url(database: string): string;
  /** A configuration that reaches it, with everything else at its default. */
  config(database: string, changes?: Partial<PostgresConfig>): PostgresConfig;
  /** Runs SQL as the superuser, through the socket; resolves to the rows, a line each, columns apart by `|`. */
  sql(database: string, text: string): Promise<string>;
  /** SIGSTOP to all of it: connections stay, nothing is answered. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Everything ends at once, as if it had crashed. */
  crash(): Promise<void>;
  /** Starts it again, with what it had. */
  start(): Promise<void>;
  /** Ends it and removes its folder. */
  stop(): Promise<void>;
}

const binFolder: string | null = globSync('/usr/lib/postgresql/*/bin').toSorted(byVersion).at(-1) ?? null;

function byVersion(one: string, other: string): number {
  const version = (path: string): number => Number(/(\d+)\/bin$/.exec(path)?.[1]);
  return version(one) - version(other);
}

/** Runs a test only where Debian's PostgreSQL is installed; with `CI=true` its absence is an error. */
export function requirePostgres(): Requirement {
  if (binFolder !== null) return { skip: false };
  const reason = 'not installed: postgresql (as root on Debian, npm test installs it)';
  if (process.env['CI'] === 'true') throw new Error(`CI=true, and ${reason}`);
  return { skip: reason };
}

let databases = 0;

/** Starts PostgreSQL in a scratch folder; resolves once it answers. As root it runs as the user `postgres`. */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const { listen = '127.0.0.1' } = options;
  const port = options.port ?? (await freePort());
  const scratch = await makeScratch('postgres');
  const ca = options.tls === true ? await makeCertificates(scratch) : null;
  await copyTemplate(scratch);
  await configure(scratch, options, listen, port);
  const folders = ['-h', scratch.path, '-p', String(port), '-U', 'postgres'];
  const sql = async (database: string, text: string): Promise<string> => {
    const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', ...folders, '-d', database];
    return (await succeed('psql', [program('psql'), ...args], text)).trim();
  };
  let child: Child | null = null;
  const start = async (): Promise<void> => {
    const [command = '', ...args] = [
      ...(options.prefix ?? []),
      ...unprivileged([...(options.innerPrefix ?? []), program('postgres'), '-D', scratch.file('data')]),
    ];
    child = startChild({ label: 'postgres', command, args });
    await child.waitForOutput(/database system is ready to accept (read-only )?connections/, 60_000);
  };
  const end = async (signal: 'SIGINT' | 'SIGQUIT'): Promise<void> => {
    child?.signal('SIGCONT');
    child?.signal(signal);
    await child?.exited;
  };
  await start();
  const config = (database: string, changes: Partial<PostgresConfig> = {}): PostgresConfig => ({
    ...{ kind: 'postgres', host: listen, port, user: 'latchkey', password: options.password ?? null },
    ...{ database, poolMax: 10, connectTimeoutMs: 2_000, statementTimeoutMs: 2_500, tls: null },
    ...changes,
  });
  return {
    ...{ port, ca, sql, start, config },
    socketFolder: scratch.path,
    pid: () => child?.pid ?? 0,
    async createDatabase() {
      databases += 1;
      const name = `test_${process.pid}_${databases}`;
      await sql('postgres', `CREATE DATABASE ${name} OWNER latchkey`);
      return name;
    },
    url: (database) =>
      `postgres://latchkey@${listen.includes(':') ? `[${listen}]` : listen}:${port}/${database}`,
    pause: () => signalAll(child, 'SIGSTOP'),
    resume: () => signalAll(child, 'SIGCONT'),
    crash: () => end('SIGQUIT'),
    async stop() {
      signalAll(child, 'SIGCONT');
      await end('SIGINT');
      await scratch.remove();
    },
  };
}

/** The postmaster and what it has started. */
function signalAll(child: Child | null, signal: NodeJS.Signals): void {
  if (child === null || !child.running()) return;
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').split(' ');
  for (const pid of [child.pid, ...children.filter((text) => text.trim() !== '').map(Number)]) {
    try {
      process.kill(pid, signal);
    } catch {
      // Ended in the meantime.
    }
  }
}

function program(name: string): string {
  if (binFolder === null) throw new Error('PostgreSQL is not installed');
  return join(binFolder, name);
}

/** Neither initdb nor postgres runs as root. */
function unprivileged(command: readonly string[]): readonly string[] {
  const user = serverUser();
  if (user === null) return command;
  return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', '--', ...command];
}

function serverUser(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  for (const name of ['postgres', 'nobody']) {
    const fields = users.find((line) => line.startsWith(`${name}:`))?.split(':');
    if (fields !== undefined) return { uid: Number(fields[2]), gid: Number(fields[3]) };
  }
  throw new Error('there is no user as whom PostgreSQL could run');
}

async function own(path: string): Promise<void> {
  const user = serverUser();
  if (user !== null) await chown(path, user.uid, user.gid);
}

async function succeed(
  label: string,
  [command = '', ...args]: readonly string[],
  input?: string,
): Promise<string> {
  const done = await run({ label, command, args, cwd: tmpdir(), ...(input === undefined ? {} : { input }) });
  if (done.code !== 0) throw new Error(`${label}: ${done.stdout}${done.stderr}`);
  return done.stdout;
}

/**
 * A cluster as initdb makes it, which takes seconds, is made once for this machine and copied. Its databases sort
 * by the rules of a language, so that nothing relies on sorting by bytes by accident.
 */
async function copyTemplate(scratch: Scratch): Promise<void> {
  const version = /(\d+)\/bin$/.exec(binFolder ?? '')?.[1] ?? '';
  const template = join(tmpdir(), `latchkey-postgres-template-${version}-${process.getuid?.() ?? 0}-1`);
  if (!existsSync(template)) await makeTemplate(template);
  await own(scratch.path);
  await succeed('cp', ['cp', '-a', '--reflink=auto', template, scratch.file('data')]);
}

async function makeTemplate(template: string): Promise<void> {
  const draft = await makeScratch('postgres-template');
  await own(draft.path);
  const data = draft.file('data');
  const language = ['--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=en-US', '--encoding=UTF8'];
  const args = ['-D', data, '-U', 'postgres', '--auth=trust', '--no-sync', ...language];
  await succeed('initdb', unprivileged([program('initdb'), ...args]));
  const single = ['--single', '-D', data, '-c', 'fsync=off', 'postgres'];
  await succeed('postgres', unprivileged([program('postgres'), ...single]), 'CREATE ROLE latchkey LOGIN\n');
  try {
    await rename(data, template);
  } catch (error) {
    // Another test file was quicker.
    if (!existsSync(template)) throw error;
  }
  await draft.remove();
}

async function configure(
  scratch: Scratch,
  options: PostgresOptions,
  listen: string,
  port: number,
): Promise<void> {
  const lines = [
    `listen_addresses = '${listen}'`,
    `port = ${port}`,
    `unix_socket_directories = '${scratch.path}'`,
    'max_connections = 200',
    'shared_buffers = 64MB',
    'fsync = off',
    'full_page_writes = off',
    'log_min_messages = warning',
    ...(options.settings ?? []),
  ];
  if (options.tls === true) {
    await own(scratch.file('server.key'));
    await chmod(scratch.file('server.key'), 0o600);
    lines.push('ssl = on', `ssl_cert_file = '${scratch.file('server.pem')}'`);
    lines.push(`ssl_key_file = '${scratch.file('server.key')}'`);
  }
  await writeFile(scratch.file('data', 'postgresql.conf'), `${lines.join('\n')}\n`);
  if (options.standby === true) await writeFile(scratch.file('data', 'standby.signal'), '');
  const how = options.password === undefined ? 'trust' : 'scram-sha-256';
  const rules = ['local all all trust', `host all all all ${how}`, 'local replication all trust'];
  await writeFile(scratch.file('data', 'pg_hba.conf'), `${rules.join('\n')}\n`);
  if (options.password === undefined) return;
  const sql = `ALTER ROLE latchkey PASSWORD '${options.password}'\n`;
  const single = ['--single', '-D', scratch.file('data'), 'postgres'];
  await succeed('postgres', unprivileged([program('postgres'), ...single]), sql);
}
