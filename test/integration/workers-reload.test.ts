import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { basic, type Gateway, route, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { head, type RawConnection } from '../support/raw-client.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';
import { watchRoll } from '../support/roll-watch.ts';
import { connectToEach } from '../support/worker-connections.ts';
import { childrenOf } from '../support/worker-pids.ts';

/** Programs are started here, which takes a while where much else is. */
const slowly = { withinMs: 120_000 };

async function get(connection: RawConnection, authorization: string): Promise<number> {
  const answered = connection.nextResponse();
  await connection.send(head('GET', '/a.txt', [`Authorization: ${authorization}`]), 'GET');
  return status(await answered);
}

describe('HUP, with two workers', () => {
  let backends: readonly RecordingBackend[];
  let gateway: Gateway;
  let authorization: string;
  /** What the file holds by now, over what it began with. */
  let written: Readonly<Record<string, unknown>> = {};
  before(async () => {
    backends = [await startRecordingBackend(), await startRecordingBackend()];
    backends[1]?.answerWith(replying(202));
    gateway = await startGateway({ backend: backends[0]?.url ?? '', config: { workers: 2 } });
    await gateway.user('alice');
    authorization = basic('alice', await gateway.token());
  });
  after(async () => {
    await gateway.stop();
    for (const backend of backends) await backend.close();
  });

  /** Rewrites the file and waits until what became of it has been told once more. */
  async function reload(change: Readonly<Record<string, unknown>>, told: string): Promise<void> {
    const times = (): number => gateway.output().split(told).length;
    const former = times();
    await gateway.rewriteConfig({ ...written, ...change });
    gateway.hup();
    await eventually('the reload', () => times() > former, slowly);
  }

  test('reaches both of them, on connections they have already', async () => {
    const connections = (await connectToEach(gateway, 2)).map(({ connection }) => connection);
    for (const connection of connections) assert.equal(await get(connection, authorization), 200);
    const pids = childrenOf(gateway.pid);
    written = { routes: [route({ backend: backends[1]?.url })] };
    await reload({}, '"configuration reloaded"');
    for (const connection of connections) {
      assert.equal(await get(connection, authorization), 202);
      connection.destroy();
    }
    assert.deepEqual(childrenOf(gateway.pid), pids);
  });

  test('with a wrong file changes nothing, and the metrics of either say so', async () => {
    await reload({ routes: 'none' }, 'not reloaded, the old configuration stays in force');
    await eventually(
      'the metric',
      async () => (await gateway.metric('latchkey_config_last_reload_successful')) === 0,
    );
    for (const { connection } of await connectToEach(gateway, 2)) {
      assert.equal(await get(connection, authorization), 202);
      connection.destroy();
    }
  });

  test('with a store that no worker can open changes nothing', async () => {
    const pids = childrenOf(gateway.pid);
    await reload(
      { store: `sqlite:${gateway.configFile}/latchkey.db` },
      'not reloaded, the old configuration stays in force',
    );
    assert.deepEqual(childrenOf(gateway.pid), pids);
    for (const { connection } of await connectToEach(gateway, 2)) {
      assert.equal(await get(connection, authorization), 202);
      connection.destroy();
    }
  });

  test('replaces them where a key takes that, and no client is refused, reset or cut off', async () => {
    const former = childrenOf(gateway.pid);
    const watch = watchRoll(gateway.port, 4);
    await eventually('answers', () => watch.answered() > 100);
    await reload({ audit: { keep: '9d' } }, '"configuration reloaded"');
    const areGone = (): boolean => !childrenOf(gateway.pid).some((pid) => former.includes(pid));
    await eventually('the former workers to be gone', areGone, slowly);
    assert.deepEqual(await watch.stop(), []);
    assert.equal(childrenOf(gateway.pid).length, 2);
    assert.equal(await gateway.metric('latchkey_workers_left_total', { reason: 'replaced' }), 2);
    assert.ok((await gateway.metric('latchkey_http_requests_total')) >= watch.answered());
  });

  test('leaves fewer of them, and the last one goes on', async () => {
    await reload({ workers: 1 }, '"configuration reloaded"');
    await eventually('the other to be gone', () => childrenOf(gateway.pid).length === 1, slowly);
    for (const { connection } of await connectToEach(gateway, 1)) {
      assert.equal(await get(connection, authorization), 202);
      connection.destroy();
    }
  });

  test('brings more of them, where they listened before: another place needs a restart', async () => {
    await reload(
      { workers: 2, listen: { host: '127.0.0.1', port: 1 } },
      'changes to listen.port need a restart',
    );
    for (const { connection } of await connectToEach(gateway, 2)) connection.destroy();
    assert.equal(await gateway.metric('latchkey_workers', { state: 'ready' }), 2);
    assert.equal(await gateway.adminStatus('/readyz'), 200);
  });
});

test('TERM while a HUP brings new workers ends them all, without waiting for those that have not begun', async () => {
  const backend = await startRecordingBackend();
  // Whoever is forgotten is killed only after this.
  const limits = { drain: '60s' };
  const gateway = await startGateway({ backend: backend.url, config: { workers: 2, limits } });
  try {
    await gateway.rewriteConfig({ audit: { keep: '9d' } });
    gateway.hup();
    await eventually('a new worker', () => childrenOf(gateway.pid).length > 2, slowly);
  } finally {
    await gateway.stop();
    await backend.close();
  }
});
