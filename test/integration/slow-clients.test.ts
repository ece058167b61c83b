import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { type Attack, type AttackReport, startAttack } from '../support/attack.ts';
import { endAll } from '../support/end-all.ts';
import { eventually, within } from '../support/eventually.ts';
import { basic, type Gateway, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { steadyClients } from '../support/steady-clients.ts';
import { startStreamingBackend, type StreamingBackend } from '../support/streaming-backend.ts';

const connectionsPerClient = 150;
const limits = { head: '3s', idle: '1s', keepAlive: '1s', connectionsPerClient, requestsPerToken: 1_000 };
const megabyte = 1024 ** 2;
/** Far more than any of these crowds may cost. */
const residentMaxBytes = 400 * megabyte;

let backend: StreamingBackend;
let gateway: Gateway;
/** Of the crowds, which have a token of their own. */
let authorization: string;
/** What the others ask. */
let good: string;

before(async () => {
  backend = await startStreamingBackend();
  gateway = await startGateway({ backend: backend.url, config: { limits } });
  await gateway.user('alice');
  await gateway.user('mallory');
  good = head('GET', '/1024', [`Authorization: ${basic('alice', await gateway.token())}`]);
  authorization = `Authorization: ${basic('mallory', await gateway.token({ user: 'mallory' }))}`;
});
after(() =>
  endAll(
    () => gateway?.stop(),
    () => backend?.close(),
  ),
);

/**
 * Lets a crowd loose while others ask at a steady rate: every one of these is answered, and in the end nothing of
 * the crowd is left. The crowd leaves only when it is cut off.
 */
async function withstand(attack: Omit<Attack, 'port'>): Promise<AttackReport> {
  const crowd = await startAttack({ port: gateway.port, again: false, addresses: 10, ...attack });
  try {
    const fared = await steadyClients({ port: gateway.port, request: good, perSecond: 20, forMs: 1_000 });
    assert.deepEqual(fared.answers, { 200: fared.asked });
    assert.ok((await gateway.residentBytes()) < residentMaxBytes);
    // Who does not read does not notice.
    if (attack.leave === undefined && attack.read === undefined) {
      await eventually(
        'the crowd to have been and gone',
        async () => {
          const { opened, failed, open } = await crowd.report();
          return opened + failed === attack.connections && open === 0;
        },
        { withinMs: 60_000, everyMs: 200 },
      );
    }
    await nothingLeft();
  } catch (error) {
    throw new Error(`the crowd: ${JSON.stringify(await crowd.stop())}`, { cause: error });
  }
  return crowd.stop();
}

async function nothingLeft(): Promise<void> {
  await eventually('all connections to be closed', async () => (await openConnections()) === 0, {
    withinMs: 60_000,
    everyMs: 200,
  });
  assert.equal(await gateway.metric('latchkey_http_requests_in_flight'), 0);
}

function openConnections(): Promise<number> {
  return gateway.metric('latchkey_client_connections');
}

describe('a crowd of connections', () => {
  const line = 'GET /1024 HTTP/1.1\r\nHost: gw.example\r\n';

  test('whose heads come byte by byte gets 408', async () => {
    const drip = { text: 'a', everyMs: 200 };
    const { answers } = await withstand({ connections: 300, hello: `${line}X-A: `, drip });
    assert.deepEqual(answers, { 408: 300 });
  });

  test('whose heads do not end gets 408, or 431 where they are too large', async () => {
    const drip = { text: `X-A: ${'a'.repeat(500)}\r\n`, everyMs: 50 };
    const { answers } = await withstand({ connections: 100, hello: line, drip });
    assert.equal((answers[408] ?? 0) + (answers[431] ?? 0), 100);
  });

  test('that say nothing is cut off', async () => {
    const { cut } = await withstand({ connections: 300, hello: '' });
    assert.equal(cut, 300);
  });

  test('that leave half a head and their own side closed is cut off', async () => {
    const { cut } = await withstand({ connections: 100, hello: line, halfClose: true });
    assert.equal(cut, 100);
  });

  test('that stay when they were answered is cut off', async () => {
    const { answers, cut } = await withstand({ connections: 300, hello: good });
    assert.deepEqual([answers, cut], [{ 200: 300 }, 300]);
  });
});

describe('a crowd of bodies', () => {
  const upload = (...fields: readonly string[]): string => head('PUT', '/count', [authorization, ...fields]);

  for (const [title, hello, text] of [
    ['of small length', () => upload('Content-Length: 10000'), 'a'],
    ['of great length', () => upload('Content-Length: 10000000'), 'a'],
    ['in chunks of one byte', () => upload('Transfer-Encoding: chunked'), '1\r\na\r\n'],
    ['with a chunk extension that does not end', () => `${upload('Transfer-Encoding: chunked')}1;a=`, 'a'],
  ] as const) {
    test(`${title} that trickle gets 408, and the backend hears of none`, async () => {
      const asked = backend.requests.filter(({ method }) => method === 'PUT').length;
      const drip = { text, everyMs: 200 };
      const { answers } = await withstand({ connections: 100, hello: hello(), drip });
      assert.deepEqual(answers, { 408: 100 });
      assert.equal(backend.requests.filter(({ method }) => method === 'PUT').length, asked);
    });
  }

  test('that stop on their way to the backend is cut off, there too', async () => {
    const hello = `${upload('Content-Length: 10000000')}${'a'.repeat(20_000)}`;
    const before = backend.requests.length;
    const { cut } = await withstand({ connections: 100, hello, drip: { text: 'a', everyMs: 200 } });
    assert.equal(cut, 100);
    const uploads = backend.requests.slice(before).filter(({ method }) => method === 'PUT');
    const ends = await within('all of them to end', 5_000, Promise.all(uploads.map(({ over }) => over)));
    assert.deepEqual([uploads.length, ends.every((isCut) => isCut)], [100, true]);
    await eventually('the log to name the limits', () =>
      gateway.output().includes('client too slow: limits.idle, limits.bodyRateMin'),
    );
  });
});

describe('a crowd of readers', () => {
  const large = (): string => head('GET', `/${64 * megabyte}`, [authorization]);

  test('that read a byte now and then is cut off', async () => {
    await withstand({ connections: 100, hello: large(), read: { bytes: 1, everyMs: 200 } });
  });

  test('that never read is cut off, their own side closed or not', async () => {
    await withstand({ connections: 50, hello: large(), read: 'never' });
    await withstand({ connections: 50, hello: large(), read: 'never', halfClose: true });
  });

  test('that ask a hundred times and read no answer is cut off', async () => {
    const small = head('GET', '/1024', [authorization]);
    await withstand({ connections: 10, hello: small.repeat(100), read: 'never' });
    await withstand({ connections: 10, hello: head('GET', '/1024').repeat(300), read: 'never' });
  });

  test('that ask for much many times and read nothing is cut off', async () => {
    await withstand({ connections: 5, hello: large().repeat(20), read: 'never' });
  });
});

describe('a flood of short connections', () => {
  for (const [title, attack] of [
    ['that are reset at once', { hello: '', leave: 'at once' }],
    ['that are answered 401', { hello: head('GET', '/1024'), leave: 'answered' }],
  ] as const) {
    test(`${title} harms nobody`, async () => {
      const flood = { port: gateway.port, connections: 100, perSecond: 2_000, again: true, ...attack };
      const crowd = await startAttack(flood);
      const fared = await steadyClients({ port: gateway.port, request: good, perSecond: 20, forMs: 1_000 });
      await eventually('2,000 connections', async () => (await crowd.report()).opened >= 2_000, {
        withinMs: 20_000,
      });
      await crowd.stop();
      assert.deepEqual(fared.answers, { 200: fared.asked });
      await nothingLeft();
    });
  }

  test('from one address leaves the others theirs', async () => {
    const refusedBefore = await gateway.metric('latchkey_client_connections_refused_total');
    const more = 50;
    const connections = connectionsPerClient + more;
    const { answers } = await withstand({ connections, addresses: 1, hello: '' });
    const refused = await gateway.metric('latchkey_client_connections_refused_total');
    assert.equal(refused - refusedBefore, more);
    assert.ok((answers[429] ?? 0) > 0, JSON.stringify(answers));
  });
});

describe('a body of somebody unknown', () => {
  const whole = 64 * megabyte;
  const block = Buffer.alloc(65_536, 'a');
  const oneByteChunks = Buffer.from('1\r\na\r\n'.repeat(10_000));

  for (const [title, framing, part] of [
    ['of stated length', `Content-Length: ${whole}`, block],
    [
      'in one chunk',
      'Transfer-Encoding: chunked',
      Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')]),
    ],
    ['in chunks of one byte', 'Transfer-Encoding: chunked', oneByteChunks],
  ] as const) {
    test(`${title} is not read: 401 comes, and the connection ends`, async () => {
      const socket = connect({ port: gateway.port, host: '127.0.0.1' });
      let text = '';
      let sent = 0;
      socket.on('error', () => undefined).on('data', (chunk) => (text += chunk.toString('latin1')));
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write(head('PUT', '/count', [framing]));
      const send = (): void => {
        if (socket.destroyed || sent >= whole) return;
        sent += part.length;
        socket.write(part, send);
      };
      send();
      await within('the end of the connection', 10_000, closed);
      assert.match(text, /^HTTP\/1\.1 401 /);
      assert.ok(sent < whole / 2, `${sent} bytes were taken`);
      await nothingLeft();
    });
  }
});

describe('limits of connections', () => {
  test('change with HUP', async () => {
    const kept = await openRaw(gateway.port);
    await kept.send(good);
    assert.equal(status(await kept.nextResponse()), 200);
    await gateway.rewriteConfig({ limits: { ...limits, connectionsPerClient: 1 } });
    gateway.hup();
    await eventually(
      'the new limit',
      async () => status(await exchange(gateway.port, 'GET', '/1024')) === 429,
    );
    await kept.send(good);
    assert.equal(status(await kept.nextResponse()), 200);
    kept.destroy();
    await gateway.rewriteConfig({ limits });
    gateway.hup();
    await eventually(
      'the old limit',
      async () => status(await exchange(gateway.port, 'GET', '/1024')) === 401,
    );
  });
});
