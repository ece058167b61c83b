/**
 * Shows the product on one machine: a WebDAV server that knows nothing of tokens, the gateway in front of
 * it, a user and two tokens.
 *   demo.ts [--port 8080] [--admin-port 8081] [--data ./data]
 * Everything it makes is in the data folder, and found there again by the next start. INT, TERM and HUP
 * end it, and nothing is left running.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs, promisify } from 'node:util';
import { startDemoBackend } from './demo-backend.ts';

interface Tokens {
  readonly readWrite: string;
  readonly readOnly: string;
}

const user = 'alice';
const mainFile = join(import.meta.dirname, '../src/main.ts');
const readyWithinMs = 20_000;
const endedMessage = 'the gateway ended; what it said is above';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8080' },
    'admin-port': { type: 'string', default: '8081' },
    data: { type: 'string', default: join(import.meta.dirname, '../data') },
  },
});
const port = Number(values.port);
const adminPort = Number(values['admin-port']);
const dataDir = resolve(values.data);
const configFile = join(dataDir, 'demo.yaml');
const tokensFile = join(dataDir, 'demo-tokens.json');
// The commands are the same sources each time: compiled once, they start in half the time.
const env = { ...process.env, NODE_COMPILE_CACHE: join(dataDir, 'compile-cache') };
const url = `http://127.0.0.1:${port}/`;

/** Asked first: another gateway on these ports would look like ours. */
async function checkIsFree(taken: number, option: string): Promise<void> {
  const probe = createServer().listen(taken, '127.0.0.1');
  try {
    await once(probe, 'listening');
  } catch (error) {
    const why = `port ${taken} cannot be had: stop what listens there, or choose another with ${option}`;
    throw new Error(why, { cause: error });
  }
  probe.close();
  await once(probe, 'close');
}

async function runCommand(...args: readonly string[]): Promise<string> {
  const command = [mainFile, ...args, '--config', configFile];
  const { stdout } = await promisify(execFile)(process.execPath, command, { env });
  return stdout.trim();
}

async function writeConfig(backend: string): Promise<void> {
  const config = {
    listen: { host: '127.0.0.1', port },
    admin: { host: '127.0.0.1', port: adminPort },
    dataDir,
    store: `sqlite:${join(dataDir, 'latchkey.db')}`,
    routes: [{ name: 'files', match: { path: '/' }, backend, kind: 'webdav' }],
    log: { level: 'warn', access: false },
  };
  // JSON is YAML.
  await writeFile(configFile, `${JSON.stringify(config, null, 2)}\n`);
}

function startGateway(): ChildProcess {
  const args = [mainFile, 'serve', '--config', configFile];
  // Its log goes where messages go: stdout is for what the demo prints. Detached, it is not hit by Ctrl-C
  // itself but ended by us, once and in order.
  const gateway = spawn(process.execPath, args, { env, stdio: ['ignore', 2, 2], detached: true });
  // Also where the demo dies of an error that nobody caught.
  process.once('exit', () => {
    if (!hasEnded(gateway)) gateway.kill('SIGTERM');
  });
  return gateway;
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function waitUntilReady(gateway: ChildProcess): Promise<void> {
  const end = performance.now() + readyWithinMs;
  while (performance.now() < end) {
    if (hasEnded(gateway)) throw new Error(endedMessage);
    const ready = await fetch(`http://127.0.0.1:${adminPort}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await delay(50);
  }
  throw new Error(`the gateway was not ready within ${readyWithinMs / 1000} s`);
}

async function readTokens(): Promise<Tokens | null> {
  try {
    return JSON.parse(await readFile(tokensFile, 'utf8')) as Tokens;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

async function isAccepted(token: string): Promise<boolean> {
  const authorization = `Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
  const response = await fetch(url, { method: 'OPTIONS', headers: { authorization } });
  return response.status !== 401;
}

/**
 * The tokens of the last start where they still work, else new ones. A token's value cannot be had a second
 * time, so the demo, and only the demo, keeps it in a file.
 */
async function findOrMintTokens(): Promise<Tokens> {
  const kept = await readTokens();
  if (kept !== null && (await isAccepted(kept.readWrite)) && (await isAccepted(kept.readOnly))) return kept;
  const users = JSON.parse(await runCommand('user', 'list', '--json')) as readonly {
    readonly name: string;
  }[];
  if (!users.some(({ name }) => name === user)) await runCommand('user', 'add', user);
  const mint = (name: string, scope: string): Promise<string> =>
    runCommand('token', 'create', '--user', user, '--name', name, '--scope', scope, '--quiet');
  const tokens = {
    readWrite: await mint('demo, read and write', 'path:/:rw'),
    readOnly: await mint('demo, read only', 'path:/:r'),
  };
  await writeFile(tokensFile, `${JSON.stringify(tokens, null, 2)}\n`, { mode: 0o600 });
  await chmod(tokensFile, 0o600);
  return tokens;
}

function describe({ readWrite, readOnly }: Tokens): string {
  return `
# A WebDAV server that knows nothing of tokens, with Latchkey in front of it:
${url}
# ${user}'s token, for reading and writing; it goes where a password would:
${readWrite}
# List the folder:
curl -u ${user}:${readWrite} -X PROPFIND -H 'Depth: 1' ${url}
# Upload a file:
curl -i -u ${user}:${readWrite} -X PUT --data-binary 'Hello from curl' ${url}hello.txt
# The same with a token that may only read, refused with 403:
curl -i -u ${user}:${readOnly} -X PUT --data-binary 'Hello from curl' ${url}hello.txt

# The files are in ${join(dataDir, 'demo-files')}. Ctrl-C ends the demo.
`;
}

async function demo(): Promise<void> {
  const stop = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.resolve());
  await checkIsFree(port, '--port');
  await checkIsFree(adminPort, '--admin-port');
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const backend = await startDemoBackend(join(dataDir, 'demo-files'));
  await writeConfig(backend.origin);
  const gateway = startGateway();
  const exited = once(gateway, 'exit');
  try {
    const tokens = waitUntilReady(gateway).then(findOrMintTokens);
    const outcome = await Promise.race([tokens, exited, stop.promise]);
    if (hasEnded(gateway)) throw new Error(endedMessage);
    if (outcome !== undefined) {
      console.log(describe(await tokens));
      await Promise.race([stop.promise, exited]);
      if (hasEnded(gateway)) throw new Error(endedMessage);
    }
  } finally {
    if (!hasEnded(gateway)) gateway.kill('SIGTERM');
    await exited;
    await backend.close();
  }
}

try {
  await demo();
} catch (error) {
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
