import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { OwnPages } from '../../../../src/server/own-pages.ts';
import { eventually } from '../../../support/eventually.ts';
import {
  encode,
  flag,
  frame,
  frameType,
  headers,
  openRawSession,
  type RawField,
  type RawSession,
  setting,
} from '../../../support/h2-raw.ts';
import { startH2Listener } from './h2-fixture.ts';

const get: readonly RawField[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'gw.example'],
  [':path', '/a'],
  ['authorization', 'Bearer good'],
];

/** What a client sends without end, a portion at a time, and what it needs before. */
interface Flood {
  readonly before?: Buffer;
  readonly portion: (turn: number) => Buffer;
  /** Most requests that may have reached the backend. */
  readonly requestsMax: number;
}

const cancel = Buffer.from([0, 0, 0, 8]);
const streamOf = (turn: number): number => turn * 2 + 1;

/** Asserts that the connection of such a client is ended, and that others are served. */
async function assertEnds(t: TestContext, { before, portion, requestsMax }: Flood): Promise<void> {
  const { port, backend } = await startH2Listener(t, { requestsPerToken: 10_000 });
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  if (before !== undefined) session.send(before);
  session.socket.pause();
  await flood(session, portion);
  session.socket.resume();
  await eventually('the connection to end', () => session.isClosed(), { withinMs: 10_000 });
  const reached = backend.requests.length;
  assert.ok(reached <= requestsMax, `${reached} requests reached the backend`);
  const other = await openRawSession(port);
  t.after(() => other.destroy());
  other.send(headers(1, get));
  assert.equal((await other.end(1)).status, 200);
}

/** Sends until the connection is gone, or 4,000 portions are out. */
async function flood(session: RawSession, portion: (turn: number) => Buffer): Promise<void> {
  for (let turn = 0; turn < 4_000 && !session.isClosed(); turn++) {
    session.send(portion(turn));
    if (turn % 50 === 49) {
      await new Promise((resolve) => {
        setTimeout(resolve, 1);
      });
    }
  }
}

test('requests that are reset at once end the connection, and others are served [CVE-2023-44487]', (t) =>
  assertEnds(t, {
    portion: (turn) =>
      Buffer.concat([headers(streamOf(turn), get), frame(frameType.reset, 0, streamOf(turn), cancel)]),
    requestsMax: 400,
  }));

test('continuations of one head that never ends end the connection, and others are served [CVE-2024-27316]', (t) =>
  assertEnds(t, {
    before: frame(frameType.headers, flag.endStream, 1, encode(get)),
    portion: () => frame(frameType.continuation, 0, 1, encode([['x-a', 'b'.repeat(1_000)]])),
    requestsMax: 0,
  }));

test('empty continuations end the connection, and others are served', (t) =>
  assertEnds(t, {
    before: frame(frameType.headers, flag.endStream, 1, encode(get)),
    portion: () => frame(frameType.continuation, 0, 1),
    requestsMax: 0,
  }));

test('settings whose acknowledgement is not read end the connection, and others are served [CVE-2019-9515]', (t) =>
  assertEnds(t, {
    portion: () =>
      Buffer.concat(Array.from({ length: 200 }, () => frame(frameType.settings, 0, 0, setting(3, 100)))),
    requestsMax: 0,
  }));

test('pings whose answer is not read end the connection, and others are served [CVE-2019-9512]', (t) =>
  assertEnds(t, {
    portion: () =>
      Buffer.concat(Array.from({ length: 200 }, () => frame(frameType.ping, 0, 0, Buffer.alloc(8)))),
    requestsMax: 0,
  }));

test('settings beyond what one frame may hold end the connection, and others are served [CVE-2020-11080]', (t) =>
  assertEnds(t, {
    portion: () =>
      frame(
        frameType.settings,
        0,
        0,
        Buffer.concat(Array.from({ length: 64 }, (_, id) => setting(id + 100, 1))),
      ),
    requestsMax: 0,
  }));

test('frames that break the protocol on streams of their own end the connection, and others are served [CVE-2025-8671]', (t) =>
  assertEnds(t, {
    portion: (turn) =>
      Buffer.concat([
        headers(streamOf(turn), get),
        frame(frameType.windowUpdate, 0, streamOf(turn), Buffer.alloc(4)),
      ]),
    requestsMax: 400,
  }));

test('streams beyond a hundred at a time end the connection, and no more than a hundred were served', async (t) => {
  const { port, backend } = await startH2Listener(t, { requestsPerToken: 1_000 });
  backend.answerWith({});
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  // Its settings count once they are acknowledged.
  await eventually('its settings', () => session.frames.some(({ type }) => type === frameType.settings));
  session.send(frame(frameType.settings, flag.ack, 0));
  for (let turn = 0; turn < 110; turn++) session.send(headers(streamOf(turn), get));
  await eventually('the end', () => session.goaway() !== null);
  assert.ok(backend.connections.length <= 100, String(backend.connections.length));
});

test('requests beside others of a connection are refused where their client has too many, and can be sent again', async (t) => {
  let left = 2;
  const admitBeside = (): (() => void) | null => {
    if (left === 0) return null;
    left--;
    return () => void left++;
  };
  const { port, backend } = await startH2Listener(t, { admitBeside });
  backend.answerWith({});
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  for (const id of [1, 3, 5, 7]) session.send(headers(id, get));
  const refused = await session.end(7);
  assert.deepEqual([refused.status, refused.reset], [null, 7], 'REFUSED_STREAM');
  await eventually('the others', () => backend.connections.length === 3);
  session.send(frame(frameType.reset, 0, 3, cancel));
  await eventually('room', () => left === 1);
  session.send(headers(9, get));
  await eventually('the one sent again', () => backend.connections.length === 4);
  session.destroy();
  await eventually('nothing to be counted', () => left === 2);
});

test('a head that unfolds to far more than was sent ends with a reset [CVE-2016-6581]', async (t) => {
  const { port, backend } = await startH2Listener(t);
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  // One field of 4,000 bytes into the table (RFC 7541 section 6.2.1), then a thousand times its index, a byte each.
  const value = Buffer.alloc(4_000, 'b');
  const stored = Buffer.concat([
    Buffer.from([0x40, 3]),
    Buffer.from('x-a'),
    Buffer.from([127, 0xa1, 0x1e]),
    value,
  ]);
  const block = Buffer.concat([encode(get), stored, Buffer.alloc(1_000, 0xbe)]);
  session.send(frame(frameType.headers, flag.endHeaders | flag.endStream, 1, block));
  const end = await session.end(1);
  assert.ok(end.reset !== null || end.status === 431 || session.goaway() !== null, `status ${end.status}`);
  assert.equal(backend.text(), '');
});

test('a client that takes nothing of its answer in is given up after limits.idle, and nothing is left [CVE-2019-9517]', async (t) => {
  const { port, records } = await startH2Listener(t, { idleMs: 200 });
  const session = await openRawSession(port, Buffer.concat([setting(1, 0), setting(4, 0)]));
  t.after(() => session.destroy());
  session.send(headers(1, get));
  const end = await session.end(1);
  assert.notEqual(end.reset, null);
  assert.equal(end.ended, false);
  await eventually('the record', () => records.length === 1);
  assert.equal(records[0]?.outcome, 'aborted');
});

test('a page of ours that its client takes nothing of is given up after limits.idle too', async (t) => {
  const ownPages: OwnPages = { handle: (_req, res) => void res.end('our page') };
  const { port, records } = await startH2Listener(t, { idleMs: 200, ownPages });
  const session = await openRawSession(port, Buffer.concat([setting(1, 0), setting(4, 0)]));
  t.after(() => session.destroy());
  const page = get.map(([name, value]): RawField => [name, name === ':path' ? '/.latchkey/' : value]);
  session.send(headers(1, page));
  const end = await session.end(1);
  assert.notEqual(end.reset, null);
  await eventually('the record', () => records.length === 1);
  assert.equal(records[0]?.outcome, 'aborted');
});

test('a client that sends no more is gone, whatever it has not read', async (t) => {
  const { port, backend, records } = await startH2Listener(t);
  backend.answerWith({});
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  const arrived = backend.nextHead();
  session.send(headers(1, get));
  const { connection } = await arrived;
  session.socket.end();
  await connection.closed;
  await eventually('the record', () => records.length === 1);
  assert.equal(records[0]?.outcome, 'aborted');
  await eventually('our side to end', () => session.isClosed());
});

test('a connection without a request is not kept, whatever else comes over it', async (t) => {
  const { port } = await startH2Listener(t, { headMs: 300 });
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  const pings = setInterval(() => session.send(frame(frameType.ping, 0, 0, Buffer.alloc(8))), 20);
  t.after(() => clearInterval(pings));
  await eventually('the end', () => session.isClosed(), { withinMs: 10_000 });
  assert.equal(session.goaway(), 0);
});

test('a connection stays for limits.keepAlive behind its last request', async (t) => {
  const { port } = await startH2Listener(t, { keepAliveMs: 300, headMs: 60_000 });
  const session = await openRawSession(port);
  t.after(() => session.destroy());
  session.send(headers(1, get));
  assert.equal((await session.end(1)).status, 200);
  await eventually('the end', () => session.isClosed(), { withinMs: 10_000 });
});
