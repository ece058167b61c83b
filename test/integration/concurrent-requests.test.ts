import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { basic, type Gateway, startGateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import { exchange, head, openRaw, type RawConnection } from '../support/raw-client.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';

const requestsPerToken = 3;
const webSocket = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version: 13',
];

describe('a token with as many requests under way as it may have', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let authorization: string;
  let other: string;
  let held: RawConnection[] = [];
  before(async () => {
    backend = await startRecordingBackend();
    const limits = { requestsPerToken, idle: '1s', backendHead: '2s' };
    gateway = await startGateway({ backend: backend.url, config: { limits } });
    await gateway.user('alice');
    authorization = `Authorization: ${basic('alice', await gateway.token())}`;
    other = `Authorization: ${basic('alice', await gateway.token({ scopes: ['path:/:r'] }))}`;
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );
  beforeEach(() => backend.answerWith({}));
  afterEach(async () => {
    for (const raw of held) raw.destroy();
    held = [];
    backend.answerWith(replying(200));
    await eventually('the token is free again', async () => {
      const answers = await Promise.all(Array.from({ length: requestsPerToken }, () => ask(authorization)));
      return answers.every((answer) => answer === 200);
    });
  });

  async function ask(credential: string): Promise<number> {
    return status(await exchange(gateway.port, 'GET', '/dav/a', [credential]));
  }

  /** Begins as many requests as may be, which the backend leaves unanswered. */
  async function fill(request: string): Promise<void> {
    for (let at = 0; at < requestsPerToken; at++) {
      const arrived = backend.nextHead();
      const raw = await openRaw(gateway.port);
      held.push(raw);
      await raw.send(request);
      await arrived;
    }
  }

  const get = (): string => head('GET', '/dav/a', [authorization]);

  test('gets 429 with Retry-After for the next, and the backend does not hear of it', async () => {
    await fill(get());
    const asked = backend.requests.length;
    const refused = await exchange(gateway.port, 'GET', '/dav/b', [authorization]);
    assert.deepEqual([status(refused), field(refused, 'retry-after')], [429, '1']);
    assert.equal(await gateway.metric('latchkey_token_requests_refused_total'), 1);
    await eventually('the log to name the limit', () => gateway.output().includes('limits.requestsPerToken'));
    assert.match(refused.body.toString(), /Too many requests with this token/);
    assert.equal(backend.requests.length, asked);
  });

  test('leaves other tokens of its user theirs', async () => {
    await fill(get());
    backend.answerWith(replying(200));
    assert.deepEqual([await ask(authorization), await ask(other)], [429, 200]);
  });

  test('is free again when their clients leave', async () => {
    await fill(get());
    for (const raw of held) raw.socket.resetAndDestroy();
  });

  test('is free again when the backend answers, or breaks off', async () => {
    await fill(get());
    const [first, ...others] = backend.connections.slice(-requestsPerToken);
    first?.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
    for (const { socket } of others) socket.resetAndDestroy();
    const answers = await Promise.all(held.map((raw) => raw.nextResponse(10_000)));
    // What broke off on a kept connection is asked once more, and then waits as long as the backend may take.
    for (const answer of answers) assert.ok([204, 502, 504].includes(status(answer)), answer.startLine);
  });

  test('is free again when the backend is given up', async () => {
    await fill(get());
    const answers = await Promise.all(held.map((raw) => raw.nextResponse(10_000)));
    assert.deepEqual(answers.map(status), [504, 504, 504]);
  });

  test('is free again when its uploads are cut because they do not move', async () => {
    await fill(`${head('PUT', '/dav/a', [authorization, 'Content-Length: 100000'])}${'a'.repeat(20_000)}`);
    await Promise.all(held.map((raw) => raw.closed));
  });

  test('has its WebSockets counted as long as they are open', async () => {
    backend.answerWith({
      message: (_, socket) =>
        void socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
        ),
    });
    await fill(head('GET', '/dav/socket', [authorization, ...webSocket]));
    const more = await exchange(gateway.port, 'GET', '/dav/socket', [authorization, ...webSocket]);
    assert.deepEqual([status(more), field(more, 'retry-after')], [429, '1']);
    assert.equal(await ask(authorization), 429);
  });
});
