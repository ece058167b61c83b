import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { startChild } from '../support/child-process.ts';
import { runCommand } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { basic, type Gateway, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { head, type RawConnection } from '../support/raw-client.ts';
import { type RecordingBackend, response, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { connectToEach } from '../support/worker-connections.ts';
import { childrenOf, isRunning } from '../support/worker-pids.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
let backend: RecordingBackend;
let scratch: Scratch;
before(async () => {
  backend = await startRecordingBackend();
  scratch = await makeScratch('workers');
});
after(async () => {
  await backend.close();
  await scratch.remove();
});

function startTwo(): Promise<Gateway> {
  return startGateway({ backend: backend.url, config: { workers: 2 } });
}

async function get(connection: RawConnection, authorization: string): Promise<number> {
  const answered = connection.nextResponse();
  await connection.send(head('GET', '/a.txt', [`Authorization: ${authorization}`]), 'GET');
  return status(await answered);
}

describe('two workers', () => {
  let gateway: Gateway;
  let authorization: string;
  before(async () => {
    gateway = await startTwo();
    await gateway.user('alice');
    authorization = basic('alice', await gateway.token());
  });
  after(() => gateway.stop());

  test('share one port, and each of them serves a token', async () => {
    assert.equal(childrenOf(gateway.pid).length, 2);
    for (const { connection } of await connectToEach(gateway, 2)) {
      assert.equal(await get(connection, authorization), 200);
      connection.destroy();
    }
  });

  test('both refuse a token that each of them knows, once it is revoked', async () => {
    const made = await gateway.command([
      'token',
      'create',
      '--user',
      'alice',
      '--name',
      'lost',
      '--scope',
      '*',
      '--json',
    ]);
    const { id, value } = JSON.parse(made.stdout) as { readonly id: string; readonly value: string };
    const lost = basic('alice', value);
    const connections = (await connectToEach(gateway, 2)).map(({ connection }) => connection);
    for (const connection of connections) assert.equal(await get(connection, lost), 200);
    assert.equal((await gateway.command(['token', 'revoke', id])).code, 0);
    for (const connection of connections) {
      await eventually('a refusal', async () => (await get(connection, lost)) === 401, { withinMs: 5_000 });
      connection.destroy();
    }
  });

  test('count wrong secrets together: what one has had too many of, the other hardly takes', async () => {
    const connections = (await connectToEach(gateway, 2)).map(({ connection }) => connection);
    const [first, second] = connections as [RawConnection, RawConnection];
    let guesses = 0;
    const guess = (connection: RawConnection): Promise<number> =>
      get(connection, basic('mallory', `wrong ${++guesses}`));
    for (let at = 0; at < 10; at++) assert.equal(await guess(first), 401);
    assert.equal(await guess(first), 429);
    // It hears of them behind its own first answer, and would take ten by itself.
    const answers: number[] = [];
    while (answers.at(-1) !== 429 && answers.length < 5) answers.push(await guess(second));
    assert.equal(answers.at(-1), 429, answers.join(' '));
    for (const connection of connections) connection.destroy();
  });

  test('no second gateway gets a part of their connections: the port is taken', async () => {
    const args = ['serve', '--workers', '2', '--backend', backend.url, '--host', '127.0.0.1'];
    const ports = ['--port', String(gateway.port), '--admin-port', '0'];
    const { exitCode, stderr } = await runCommand([...args, ...ports], { cwd: scratch.path });
    assert.equal(exitCode, 1);
    assert.match(stderr, new RegExp(`another program listens on port ${gateway.port}: stop it, or`));
  });

  test('one that dies is replaced while the other serves, and what it counted stays counted', async () => {
    const connections = await connectToEach(gateway, 2);
    const seen = await gateway.metric('latchkey_http_requests_total');
    const [victim] = childrenOf(gateway.pid);
    assert.ok(victim);
    process.kill(victim, 'SIGKILL');
    await Promise.race(connections.map(({ connection }) => connection.closed));
    const survivors = connections.filter(({ connection }) => !connection.isClosed());
    assert.equal(survivors.length, 1);
    for (const { connection } of survivors) assert.equal(await get(connection, authorization), 200);
    await eventually('another worker', async () => (await gateway.adminStatus('/readyz')) === 200, {
      withinMs: 60_000,
    });
    assert.equal(await gateway.metric('latchkey_workers_left_total', { reason: 'died' }), 1);
    assert.ok((await gateway.metric('latchkey_http_requests_total')) > seen);
    const workers = (await connectToEach(gateway, 2)).map(({ worker }) => worker);
    assert.equal(connections.filter(({ worker }) => workers.includes(worker)).length, 1);
  });

  test('finish what is under way in each of them at TERM, and none is left', async () => {
    const pids = childrenOf(gateway.pid);
    const connections = (await connectToEach(gateway, 2)).map(({ connection }) => connection);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    backend.answerWith({
      message: (_request, socket) => void released.then(() => socket.write(response(200))),
    });
    backend.forget();
    const answers = connections.map((connection) => get(connection, authorization));
    await eventually('both requests at the backend', () => backend.requests.length === 2);
    gateway.term();
    await eventually('the drain', () => gateway.output().split('"msg":"draining"').length === 4);
    release();
    assert.deepEqual(await Promise.all(answers), [200, 200]);
    assert.deepEqual(await gateway.exited, { code: 0, signal: null });
    assert.deepEqual(pids.filter(isRunning), []);
  });
});

test('workers end with a supervisor that is killed', async () => {
  const gateway = await startTwo();
  const pids = childrenOf(gateway.pid);
  assert.equal(pids.length, 2);
  process.kill(gateway.pid, 'SIGKILL');
  await gateway.exited;
  await eventually('the workers to end', () => !pids.some(isRunning), { withinMs: 20_000 });
  await assert.rejects(gateway.stop(), /had already ended/);
});

test('a worker that is still starting ends with a supervisor that is killed', async () => {
  // A store that takes connections and never says a word.
  const store = createServer((socket) => void socket.on('error', () => undefined).resume());
  const asked = once(store, 'connection');
  await once(store.listen(0, '127.0.0.1'), 'listening');
  const { port } = store.address() as AddressInfo;
  const config = {
    ...{ workers: 2, dataDir: scratch.file('silent') },
    ...{ listen: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port: 0 } },
    store: { url: `postgres://latchkey@127.0.0.1:${port}/latchkey`, connectTimeout: '60s' },
    backend: backend.url,
  };
  await writeFile(scratch.file('silent.yaml'), JSON.stringify(config));
  const args = [mainFile, 'serve', '--config', scratch.file('silent.yaml')];
  const child = startChild({ label: 'latchkey serve', command: process.execPath, args });
  let pids: readonly number[] = [];
  try {
    await Promise.race([asked, child.exited.then(() => assert.fail(child.stderr()))]);
    pids = childrenOf(child.pid);
    assert.equal(pids.length, 1);
    child.signal('SIGKILL');
    await eventually('the worker to end', () => !pids.some(isRunning), { withinMs: 20_000 });
  } finally {
    for (const pid of [child.pid, ...pids].filter(isRunning)) process.kill(pid, 'SIGKILL');
    await child.exited;
    store.close();
  }
});

test('what keeps workers from serving is told once, and ends all', async () => {
  const store = ['--store', `sqlite:${scratch.file('data', 'latchkey.db')}`];
  const run = (args: readonly string[]) => runCommand([...args, ...store], { cwd: scratch.path });
  await run(['user', 'add', 'alice']);
  await run(['token', 'create', '--user', 'alice', '--name', 'phone', '--scope', '*']);
  await rm(scratch.file('data', 'pepper'));
  const ports = ['--port', '0', '--admin-port', '0', '--backend', backend.url];
  const { exitCode, stderr } = await run(['serve', '--workers', '2', ...ports]);
  assert.equal(exitCode, 1);
  assert.equal(stderr.split('the pepper file').length, 2, stderr);
});
