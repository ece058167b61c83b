import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { within } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import type { HttpMessage } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { replying, response, startRecordingBackend } from '../support/recording-backend.ts';
import type { Answer, RecordingBackend } from '../support/recording-backend.ts';

interface Failure {
  readonly name: string;
  readonly answer: Answer;
  readonly status: 502 | 504;
  readonly reason: string;
}

const onHead = (write: NonNullable<Answer['head']>): Answer => ({ head: write });

/** What backends do instead of answering. */
const failures: readonly Failure[] = [
  { name: 'hangs before its head', answer: {}, status: 504, reason: 'backend_timeout' },
  {
    name: 'hangs in the middle of its head',
    answer: onHead((_, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Le')),
    status: 504,
    reason: 'backend_timeout',
  },
  {
    name: 'resets the connection',
    answer: onHead((_, socket) => socket.resetAndDestroy()),
    status: 502,
    reason: 'backend_reset',
  },
  {
    name: 'closes the connection without an answer',
    answer: onHead((_, socket) => socket.end()),
    status: 502,
    reason: 'backend_reset',
  },
  {
    name: 'closes in the middle of its head',
    answer: onHead((_, socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le')),
    status: 502,
    reason: 'backend_reset',
  },
  {
    name: 'does not speak HTTP',
    answer: onHead((_, socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
    status: 502,
    reason: 'backend_garbage',
  },
  {
    name: 'sends a head without end',
    answer: onHead((_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\n${'X-Endless: abcdefghijklmnopqrstuvwxyz\r\n'.repeat(4_000)}`);
    }),
    status: 502,
    reason: 'backend_garbage',
  },
  {
    name: 'sends two different lengths',
    answer: onHead((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!');
    }),
    status: 502,
    reason: 'backend_garbage',
  },
];

/** What backends do after their head is out: the client must not take the rest for a whole response. */
const truncations: readonly { readonly name: string; readonly answer: Answer }[] = [
  {
    name: 'resets',
    answer: onHead((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => {
        setTimeout(() => socket.resetAndDestroy(), 50);
      });
    }),
  },
  {
    name: 'closes short of its Content-Length',
    answer: onHead((_, socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')),
  },
  {
    name: 'closes inside a chunked body',
    answer: onHead((_, socket) =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf'),
    ),
  },
  {
    name: 'resets a body that lasts until the close',
    answer: onHead((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf', () => {
        setTimeout(() => socket.resetAndDestroy(), 50);
      });
    }),
  },
  {
    name: 'falls silent',
    answer: onHead((_, socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')),
  },
];

describe('a backend that fails', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let authorization: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway({
      backend: backend.url,
      config: { limits: { backendHead: '500ms', idle: '1s', backendConnections: 2 } },
    });
    await gateway.user('alice');
    authorization = `Authorization: Bearer ${await gateway.token()}`;
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );
  beforeEach(() => {
    backend.forget();
    backend.answerWith(replying(200, 'fine'));
  });

  const get = (target = '/dav/a.txt'): Promise<HttpMessage> =>
    exchange(gateway.port, 'GET', target, [authorization]);
  const assertStillServes = async (): Promise<void> => {
    backend.answerWith(replying(200, 'fine'));
    const answer = await get();
    assert.equal(status(answer), 200);
    assert.equal(answer.body.toString(), 'fine');
  };

  for (const failure of failures) {
    test(`that ${failure.name} is answered ${failure.status}, counted, and its connection discarded`, async () => {
      const counted = (): Promise<number> =>
        gateway.metric('latchkey_upstream_errors_total', { reason: failure.reason });
      const before = await counted();
      backend.answerWith(failure.answer);
      const arrived = backend.nextHead();
      const answer = await get();
      assert.equal(status(answer), failure.status);
      assertProblem(answer);
      assert.equal(await counted(), before + 1);
      const { connection } = await arrived;
      await within('the connection to be closed', 2_000, connection.closed);
      await assertStillServes();
    });
  }

  for (const { name, answer } of truncations) {
    test(`that ${name} in the middle of a body has the client's connection cut`, async () => {
      backend.answerWith(answer);
      const raw = await openRaw(gateway.port);
      await raw.send(head('GET', '/dav/a.txt', [authorization]));
      await within('the cut', 5_000, raw.closed);
      const received = raw.received().toString('latin1');
      assert.match(received, /^HTTP\/1\.1 200 /);
      assert.match(received, /half/);
      assert.ok(!received.endsWith('0\r\n\r\n'), 'no end of a chunked body is made up');
      raw.destroy();
      await assertStillServes();
    });
  }

  test('that sends more than it announced has only that passed on, and the rest answers no other request', async () => {
    backend.answerWith(
      onHead((_, socket) => {
        socket.write(Buffer.concat([response(200, 'first'), response(200, 'unasked')]));
      }),
    );
    assert.equal((await get()).body.toString(), 'first');
    await assertStillServes();
    const [first, second] = backend.requests;
    assert.ok(first && second);
    assert.notEqual(first.connection, second.connection, 'the poisoned connection is not used again');
  });

  test('that cannot be reached is answered 502 and counted', async () => {
    const port = await freePort();
    const down = await startGateway({ backend: `http://127.0.0.1:${port}` });
    try {
      await down.user('alice');
      const fields = [`Authorization: Bearer ${await down.token()}`];
      for (const method of ['GET', 'PUT', 'PROPFIND']) {
        const answer = await exchange(down.port, method, '/dav/a', fields, method === 'PUT' ? 'body' : '');
        assert.equal(status(answer), 502);
        assertProblem(answer);
      }
      assert.equal(await down.metric('latchkey_upstream_errors_total', { reason: 'backend_unreachable' }), 3);
      assert.equal(await down.adminStatus('/readyz'), 200, 'readiness does not ask the backend');
    } finally {
      await down.stop();
    }
  });
});

describe('several backends of one route', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let authorization: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway({
      route: { backend: [`http://127.0.0.1:${await freePort()}`, backend.url] },
    });
    await gateway.user('alice');
    authorization = `Authorization: Bearer ${await gateway.token()}`;
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );

  test('a request that could not be sent to one goes to the next', async () => {
    for (let count = 0; count < 6; count += 1) {
      assert.equal(status(await exchange(gateway.port, 'GET', '/dav/a', [authorization])), 200);
    }
    assert.equal(backend.requests.length, 6);
  });

  test('a request that was sent is never sent again', async () => {
    backend.forget();
    backend.answerWith(onHead((_, socket) => socket.resetAndDestroy()));
    assert.equal(status(await exchange(gateway.port, 'PUT', '/dav/a', [authorization], 'body')), 502);
    const heads = backend.text().match(/^PUT /gm) ?? [];
    assert.equal(heads.length, 1);
  });
});

/** One shape for all: problem+json that repeats nothing of the request. */
function assertProblem(answer: HttpMessage): void {
  assert.equal(field(answer, 'content-type'), 'application/problem+json');
  const body = JSON.parse(answer.body.toString('utf8')) as Record<string, unknown>;
  assert.deepEqual(Object.keys(body).toSorted(), ['detail', 'requestId', 'status', 'title']);
  assert.equal(body['status'], status(answer));
}
