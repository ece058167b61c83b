import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { eventually, within } from '../support/eventually.ts';
import { status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { response } from '../support/recording-backend.ts';
import type { Answer, RecordedConnection } from '../support/recording-backend.ts';
import { authorized, startListener } from '../unit/server/listener-fixture.ts';
import type { StartedListener } from '../unit/server/listener-fixture.ts';

/** What the client of one request saw: a whole response, or a connection that ended without one. */
interface Seen {
  readonly answer: string;
  readonly received: string;
}

type Act = (socket: Socket) => void;

const say =
  (bytes: string | Buffer): Act =>
  (socket) =>
    void socket.write(bytes);
const sayAnd =
  (bytes: string, then: Act): Act =>
  (socket) =>
    // What was said has to be on its way before a reset overtakes it.
    void socket.write(bytes, () => setTimeout(() => then(socket), 20));
const hang: Act = () => undefined;
const close: Act = (socket) => void socket.end();
const reset: Act = (socket) => void socket.resetAndDestroy();

const ok = 'HTTP/1.1 200 OK\r\n';
const tenthOf = `${ok}Content-Length: 100\r\n\r\n0123456789`;
const chunk = `${ok}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`;
const untilClose = `${ok}Connection: close\r\n\r\nhello`;

/** Points at which a backend hangs, closes or resets, and what its client sees: a status, or a cut. */
const points: readonly (readonly [string, string, Act, '502' | '504' | 'cut' | '200 hello'])[] = [
  ['hangs', 'before its answer', hang, '504'],
  ['closes', 'before its answer', close, '502'],
  ['resets', 'before its answer', reset, '502'],
  ['hangs', 'behind an interim response', say('HTTP/1.1 102 Processing\r\n\r\n'), '504'],
  ['resets', 'behind an interim response', sayAnd('HTTP/1.1 102 Processing\r\n\r\n', reset), '502'],
  ['hangs', 'in its status line', say('HTTP/1.1 2'), '504'],
  ['closes', 'in its status line', sayAnd('HTTP/1.1 2', close), '502'],
  ['resets', 'in its status line', sayAnd('HTTP/1.1 2', reset), '502'],
  ['hangs', 'in a field', say(`${ok}Content-Le`), '504'],
  ['closes', 'in a field', sayAnd(`${ok}Content-Le`, close), '502'],
  ['resets', 'in a field', sayAnd(`${ok}Content-Le`, reset), '502'],
  ['hangs', 'in a body with a length', say(tenthOf), 'cut'],
  ['closes', 'in a body with a length', sayAnd(tenthOf, close), 'cut'],
  ['resets', 'in a body with a length', sayAnd(tenthOf, reset), 'cut'],
  ['hangs', 'between chunks', say(chunk), 'cut'],
  ['closes', 'between chunks', sayAnd(chunk, close), 'cut'],
  ['resets', 'between chunks', sayAnd(chunk, reset), 'cut'],
  ['closes', 'in a chunk', sayAnd(`${chunk}5\r\nwo`, close), 'cut'],
  ['resets', 'in a chunk', sayAnd(`${chunk}5\r\nwo`, reset), 'cut'],
  ['hangs', 'in the size of a chunk', say(`${chunk}1`), 'cut'],
  ['closes', 'behind the last chunk', sayAnd(`${chunk}0\r\n`, close), 'cut'],
  ['hangs', 'in its trailers', say(`${chunk}0\r\nX-Trailer: a`), 'cut'],
  ['resets', 'in its trailers', sayAnd(`${chunk}0\r\nX-Trailer: a`, reset), 'cut'],
  ['hangs', 'in a body that lasts until the close', say(untilClose), 'cut'],
  ['closes', 'at the end of a body that lasts until the close', sayAnd(untilClose, close), '200 hello'],
  ['resets', 'in a body that lasts until the close', sayAnd(untilClose, reset), 'cut'],
];

/** Bodies that are none, behind a head that is one. */
const brokenBodies: readonly (readonly [string, string])[] = [
  ['a chunk size that is no number', 'zz\r\nhello\r\n'],
  ['a negative chunk size', '-5\r\nhello\r\n'],
  ['a chunk size beyond all numbers', `${'f'.repeat(17)}\r\nhello\r\n`],
  ['a chunk longer than its size', '4\r\nhello\r\n'],
  ['a chunk shorter than its size', '6\r\nhello\r\n5\r\nhello\r\n'],
  ['a chunk with a bare CR', '5\rhello\r\n'],
  ['trailers that are none', '5\r\nhello\r\n0\r\nno trailer\r\n\r\n'],
  ['a length in its trailers', '5\r\nhello\r\n0\r\nContent-Length: 9\r\n\r\n'],
  ['trailers without end', `5\r\nhello\r\n0\r\n${'X: x\r\n'.repeat(40_000)}`],
];

/** Sends one request, with `uploaded` bytes of its announced body of 1 MB, or none for a GET, and sees what comes. */
async function see({ port }: StartedListener, uploaded: number | null): Promise<Seen> {
  const raw = await openRaw(port);
  try {
    if (uploaded === null) await raw.send(head('GET', '/dav/a', [authorized]), 'GET');
    else {
      await raw.send(head('PUT', '/dav/a', [authorized, 'Content-Length: 1000000']), 'PUT');
      await raw.send('u'.repeat(uploaded), 'PUT');
    }
    await within(
      'an answer or a cut',
      8_000,
      eventually('it', () => raw.isClosed() || raw.responses.length > 0, { withinMs: 8_000 }),
    );
    const [first] = raw.responses;
    const answer = first === undefined ? 'cut' : `${status(first)} ${first.body.toString('latin1')}`;
    return { answer, received: raw.received().toString('latin1') };
  } finally {
    raw.destroy();
  }
}

/** Another client's request is right, over another connection than any of these. */
async function assertServes(started: StartedListener, former: readonly RecordedConnection[]): Promise<void> {
  const { port, backend } = started;
  backend.answerWith({ message: (_, socket) => void socket.write(response(200, 'right')) });
  const arrived = backend.nextRequest();
  const answer = await exchange(port, 'GET', '/dav/other', [authorized]);
  assert.equal(`${status(answer)} ${answer.body.toString()}`, '200 right');
  assert.ok(!former.includes((await arrived).connection), 'the connection is not used again');
}

function assertSeen(seen: Seen, expected: (typeof points)[number][3], started: StartedListener): void {
  const outcome = started.records.at(-1)?.outcome;
  if (expected === '200 hello') {
    assert.equal(seen.answer, expected);
    assert.equal(outcome, 'ok');
    return;
  }
  if (expected === 'cut') assert.equal(seen.answer, 'cut', seen.received);
  else assert.ok(seen.answer.startsWith(`${expected} {"title":`), seen.answer);
  assert.match(String(outcome), /^backend_(timeout|reset|garbage)$/);
  assert.ok(String(started.records.at(-1)?.reason).startsWith(started.backend.url));
}

const over = async (t: TestContext, act: Act, kept: boolean): Promise<StartedListener> => {
  const started = await startListener(t);
  if (kept) {
    started.backend.answerWith({ message: (_, socket) => void socket.write(response(200, 'before')) });
    assert.equal(status(await exchange(started.port, 'GET', '/dav/first', [authorized])), 200);
  }
  started.backend.answerWith({ message: (_, socket) => act(socket) });
  return started;
};

describe('a backend', { concurrency: 4 }, () => {
  for (const [what, where, act, expected] of points) {
    test(`that ${what} ${where}: the client sees ${expected}, the next one the right answer`, async (t) => {
      const started = await over(t, act, false);
      assertSeen(await see(started, null), expected, started);
      await assertServes(started, [...started.backend.connections]);
    });
  }

  for (const [what, where, act, expected] of points.filter(([, where]) => !where.endsWith('answer'))) {
    test(`that ${what} ${where} over a kept connection: the same, and nothing is sent again`, async (t) => {
      const started = await over(t, act, true);
      assertSeen(await see(started, null), expected, started);
      assert.equal(started.backend.requests.length, 2);
      await assertServes(started, [...started.backend.connections]);
    });
  }

  test('that answers, and then no more over the connection it keeps: the next client sees 504, the one after it the right answer', async (t) => {
    const started = await over(t, hang, true);
    const seen = await see(started, null);
    assertSeen(seen, '504', started);
    await assertServes(started, [...started.backend.connections]);
  });

  for (const [what, where, act, expected] of points.filter(([what]) => what !== 'hangs')) {
    test(`that ${what} ${where} in the middle of an upload: the client sees ${expected}, and no more is taken from it`, async (t) => {
      const started = await startListener(t);
      const acts: Answer = { head: (_, socket) => act(socket) };
      started.backend.answerWith(acts);
      const seen = await see(started, 300_000);
      assertSeen(seen, expected, started);
      assert.equal(started.backend.connections.length, 1);
      await assertServes(started, [...started.backend.connections]);
    });
  }

  test('that reads no upload and does not answer: the client sees 504', async (t) => {
    const started = await startListener(t);
    started.backend.answerWith({ head: (_, socket) => void socket.pause() });
    const { port } = started;
    const raw = await openRaw(port);
    await raw.send(head('PUT', '/dav/a', [authorized, 'Content-Length: 100000000']), 'PUT');
    raw.socket.write(Buffer.alloc(32_000_000, 'u'));
    assert.equal(status(await raw.nextResponse(8_000)), 504);
    raw.destroy();
    assert.equal(started.records.at(-1)?.outcome, 'backend_timeout');
    await assertServes(started, [...started.backend.connections]);
  });

  for (const early of [200, 201, 204, 401, 403, 413, 500]) {
    test(`that answers ${early} before the end of an upload: the client sees it, and the connection ends`, async (t) => {
      const started = await startListener(t);
      started.backend.answerWith({
        head: (_, socket) => void socket.write(response(early, early === 204 ? '' : 'early')),
      });
      const seen = await see(started, 300_000);
      assert.equal(seen.answer, early === 204 ? '204 ' : `${early} early`);
      const [connection] = started.backend.connections;
      await within(
        'the end of the connection',
        3_000,
        connection?.closed ?? Promise.reject(new Error('none')),
      );
      await assertServes(started, [...started.backend.connections]);
    });
  }

  for (const [what, body] of brokenBodies) {
    test(`that sends ${what}: the client is cut, the next one sees the right answer`, async (t) => {
      const started = await over(t, say(`${ok}Transfer-Encoding: chunked\r\n\r\n${body}`), false);
      assertSeen(await see(started, null), 'cut', started);
      await assertServes(started, [...started.backend.connections]);
    });
  }

  for (const [what, sent, seen] of [
    ['a length shorter than its body', `${ok}Content-Length: 5\r\n\r\nhello and more`, '200 hello'],
    ['trailers', `${chunk}0\r\nX-Trailer: a\r\n\r\n`, '200 hello'],
    ['204 with a length', 'HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n', '204 '],
    ['a length in HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello', '200 hello'],
    [
      'chunks in HTTP/1.0',
      'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
      '200 hello',
    ],
    ['no reason', 'HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello', '200 hello'],
    ['chunk extensions', `${ok}Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n`, '200 hello'],
  ] as const) {
    test(`that sends ${what}: the client sees one whole response, framed anew`, async (t) => {
      const started = await over(t, say(sent), false);
      const { answer, received } = await see(started, null);
      assert.equal(answer, seen);
      assert.match(received, /^HTTP\/1\.1 /);
      assert.doesNotMatch(received, /x-trailer|a=b|and more/i);
      if (seen.startsWith('204')) assert.doesNotMatch(received, /content-length/i);
      started.backend.answerWith({ message: (_, socket) => void socket.write(response(200, 'right')) });
      const next = await exchange(started.port, 'GET', '/dav/other', [authorized]);
      assert.equal(next.body.toString(), 'right');
    });
  }
});
