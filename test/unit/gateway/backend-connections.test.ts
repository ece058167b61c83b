import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { backendPlace } from '../../../src/config/backend-address.ts';
import {
  BackendConnections,
  type BackendHandler,
  type BackendRequest,
} from '../../../src/gateway/backend-connections.ts';
import { within } from '../../support/eventually.ts';
import { replying, startRecordingBackend } from '../../support/recording-backend.ts';
import type { RecordingBackend } from '../../support/recording-backend.ts';
import { type SteppedClock, steppedClock } from '../../support/stepped-clock.ts';

interface Started {
  readonly backend: RecordingBackend;
  readonly clock: SteppedClock;
  readonly mistrusted: () => number;
  readonly connections: BackendConnections;
  /** Sends one request of `owner`'s; resolves when its response has ended. */
  readonly ask: (owner: string, fields?: readonly string[]) => Promise<void>;
}

async function start(t: TestContext, backendConnections: number, backendWaitMs = 10_000): Promise<Started> {
  const backend = await startRecordingBackend();
  backend.answerWith(replying(200, 'fine'));
  const clock = steppedClock();
  let mistrusted = 0;
  const connections = new BackendConnections({
    place: backendPlace(backend.url),
    tlsName: '',
    tls: { backendCa: null, backendTls: null },
    limits: { connectMs: 1_000, backendHeadMs: 1_000, backendConnections, backendWaitMs },
    clock,
    mistrusted: () => void mistrusted++,
  });
  t.after(async () => {
    await connections.close();
    await backend.close();
  });
  return {
    backend,
    clock,
    mistrusted: () => mistrusted,
    connections,
    ask: (owner, fields = []) =>
      new Promise((resolve, reject) => {
        // Behind the turn in which the connection falls idle.
        const ended = (): void => void setImmediate(() => setImmediate(resolve));
        connections.dispatch(request(owner, fields), owner, handler(ended, reject));
      }),
  };
}

function request(path: string, fields: readonly string[] = []): BackendRequest {
  return { method: 'GET', path: `/${path}`, headers: [...fields], body: null };
}

function handler(ended: () => void, failed: (error: Error) => void): BackendHandler {
  return {
    onRequestStart: () => undefined,
    onResponseStart: () => undefined,
    onResponseData: () => undefined,
    onResponseEnd: ended,
    onResponseError: (_, error) => failed(error),
  };
}

describe('the connections to a backend', () => {
  test('are kept for the token they served last, and pass to another after 20 ms of silence', async (t) => {
    const { backend, clock, ask } = await start(t, 8);
    for (let count = 0; count < 5; count++) await ask('alice');
    assert.equal(backend.connections.length, 1);
    await ask('bob');
    assert.equal(backend.connections.length, 2);
    await ask('alice');
    assert.equal(backend.connections.length, 2);
    clock.advance(20);
    await ask('carol');
    await ask('dave');
    assert.equal(backend.connections.length, 2);
  });

  test('are replaced where no more are allowed and none was silent', async (t) => {
    const { backend, ask } = await start(t, 1);
    for (const owner of ['alice', 'alice', 'bob', 'alice']) await ask(owner);
    assert.equal(backend.connections.length, 3);
    await within('the end of the first', 2_000, backend.connections[0]?.closed ?? Promise.resolve());
  });

  test('serve requests in turn where there are fewer of them', async (t) => {
    const { backend, ask } = await start(t, 2);
    await Promise.all(['alice', 'bob', 'carol', 'dave', 'alice', 'bob'].map((owner) => ask(owner)));
    assert.equal(backend.requests.length, 6);
    assert.ok(backend.connections.filter(({ socket }) => !socket.destroyed).length <= 3);
  });

  test('are not kept for a minute once the backend said what nobody had asked for', async (t) => {
    const { backend, clock, mistrusted, ask } = await start(t, 8);
    for (const said of ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'no HTTP at all\r\n']) {
      const told = mistrusted();
      await ask('alice');
      const { connection } = backend.requests.at(-1) ?? {};
      connection?.socket.write(said);
      await within(
        'the end of the connection',
        2_000,
        connection?.closed ?? Promise.reject(new Error('none')),
      );
      assert.equal(mistrusted(), told + 1);
      backend.forget();
      clock.advance(59_999);
      for (let count = 0; count < 3; count++) await ask('alice');
      assert.equal(backend.connections.length, 3);
      clock.advance(1);
      for (let count = 0; count < 3; count++) await ask('alice');
      assert.equal(backend.connections.length, 4);
    }
  });

  test('are not used up by requests that cannot be sent', async (t) => {
    const { backend, ask } = await start(t, 1);
    for (let count = 0; count < 3; count++) await assert.rejects(ask('alice', ['Upgrade', 'h2c']));
    await ask('alice');
    assert.equal(backend.requests.length, 1);
  });

  test('that the backend ends in silence are no reason for mistrust', async (t) => {
    const { backend, mistrusted, ask } = await start(t, 8);
    await ask('alice');
    const { connection } = backend.requests.at(-1) ?? {};
    connection?.socket.end();
    await within('the end of the connection', 2_000, connection?.closed ?? Promise.reject(new Error('none')));
    await ask('alice');
    assert.deepEqual([backend.connections.length, mistrusted()], [2, 0]);
  });

  test('go to the token with fewest requests under way when they fall free', async (t) => {
    const { backend, ask } = await start(t, 2);
    backend.answerWith({});
    const arrived = backend.nextRequest();
    const asked = ['mallory', 'mallory', 'mallory', 'mallory', 'alice'].map((owner) => ask(owner));
    const first = await arrived;
    backend.answerWith(replying(200, 'fine'));
    first.connection.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    await asked[4];
    await Promise.all([asked[2], asked[3]]);
    const paths = backend.requests.map(({ target }) => target);
    assert.deepEqual(paths, ['/mallory', '/mallory', '/alice', '/mallory', '/mallory']);
    backend.requests[1]?.connection.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    await Promise.all(asked);
  });

  test('that stay busy too long are a fault for what waits', async (t) => {
    const { backend, ask } = await start(t, 1, 50);
    backend.answerWith({});
    const arrived = backend.nextRequest();
    const first = ask('mallory');
    const { connection } = await arrived;
    await assert.rejects(ask('alice'), { code: 'overloaded' });
    backend.answerWith(replying(200, 'fine'));
    connection.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    await first;
    await ask('alice');
    assert.deepEqual(
      backend.requests.map(({ target }) => target),
      ['/mallory', '/alice'],
    );
  });

  test('are not waited for by what was taken back, nor is its body kept open', async (t) => {
    const { backend, ask, connections } = await start(t, 1);
    backend.answerWith({});
    const arrived = backend.nextRequest();
    const first = ask('mallory');
    const { connection } = await arrived;
    const body = Readable.from(['a body']);
    const heard = (): void => assert.fail('what was taken back hears nothing');
    const unheard = handler(heard, heard);
    const leave = connections.dispatch({ ...request('gone'), method: 'PUT', body }, 'alice', unheard);
    leave?.();
    assert.equal(body.destroyed, true);
    backend.answerWith(replying(200, 'fine'));
    connection.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    await first;
    await ask('alice');
    assert.deepEqual(
      backend.requests.map(({ target }) => target),
      ['/mallory', '/alice'],
    );
  });
});
