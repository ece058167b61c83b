import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { systemRandom } from '../../../src/core/random.ts';
import type { OwnPages } from '../../../src/server/own-pages.ts';
import { mintToken } from '../../../src/tokens/mint.ts';
import type { WireVisit } from '../../../src/web/context.ts';
import { field, status } from '../../support/http-message.ts';
import { exchange, head, openRaw } from '../../support/raw-client.ts';
import { authorized, startListener } from './listener-fixture.ts';

async function startWithPages(t: TestContext) {
  const visits: WireVisit[] = [];
  const ownPages: OwnPages = {
    handle(_req, res, visit) {
      visits.push(visit);
      res.end('our page');
    },
  };
  return { ...(await startListener(t, { ownPages })), visits };
}

test('what lies below /.latchkey is answered by our own pages, everything else by the backend', async (t) => {
  const { port, backend, visits } = await startWithPages(t);
  for (const target of ['/.latchkey', '/.latchkey/', '/.latchkey/tokens/new?x=1', '/.latchkey?lang=de']) {
    assert.equal((await exchange(port, 'GET', target)).body.toString(), 'our page', target);
  }
  assert.equal(visits.length, 4);
  assert.equal(status(await exchange(port, 'GET', '/.latchkeys/', [authorized])), 200);
  assert.equal(backend.requests.length, 1);
});

test('no other spelling of our pages reaches them or a backend', async (t) => {
  const { port, backend, visits } = await startWithPages(t);
  for (const target of ['/%2elatchkey/', '/x/../.latchkey/', '/.latchke%79/', '/.LATCHKEY/x']) {
    assert.ok(
      status(await exchange(port, 'GET', target, [authorized])) >= 400 || target === '/.LATCHKEY/x',
      target,
    );
  }
  assert.deepEqual(visits, []);
  assert.ok(backend.requests.length <= 1);
});

test('a head that is refused on the way to a backend is refused on the way to our pages', async (t) => {
  const { port, visits, records } = await startWithPages(t);
  const connection = await openRaw(port);
  t.after(() => connection.destroy());
  await connection.send(head('GET', '/.latchkey/', ['Host: b.example']));
  assert.equal(status(await connection.nextResponse()), 400);
  assert.deepEqual(visits, []);
  assert.equal(records.at(-1)?.outcome, 'duplicate_header');
});

test('a host that no URL can have is refused, not a failure of ours', async (t) => {
  const { port, visits } = await startWithPages(t);
  for (const host of ['256.1.1.1', '1.2.3.4.5', 'a.0x']) {
    const connection = await openRaw(port);
    t.after(() => connection.destroy());
    await connection.send(`GET /.latchkey/ HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    assert.equal(status(await connection.nextResponse()), 400, host);
  }
  assert.deepEqual(visits, []);
});

test('every visit is recorded, without its target', async (t) => {
  const { port, records } = await startWithPages(t);
  await exchange(port, 'GET', '/.latchkey/welcome/one-time-secret');
  assert.equal(records.length, 1);
  assert.deepEqual([records[0]?.status, records[0]?.outcome, records[0]?.route], [200, 'ok', null]);
  assert.doesNotMatch(JSON.stringify(records), /one-time-secret/);
});

test('the cookies of our own pages never reach a backend, in the lane or beside it', async (t) => {
  const { port, backend } = await startWithPages(t);
  const cookie = 'Cookie: theirs=1; __Host-latchkey=session-secret; latchkey_session=session-secret';
  const plain = head('GET', '/file', [authorized, cookie]);
  const chunked = head('PUT', '/file', [authorized, cookie, 'Transfer-Encoding: chunked']);
  for (const request of [plain, `${chunked}0\r\n\r\n`]) {
    const connection = await openRaw(port);
    t.after(() => connection.destroy());
    await connection.send(request);
    assert.equal(status(await connection.nextResponse()), 200);
  }
  assert.equal(backend.requests.length, 2);
  assert.equal(backend.text().split('theirs=1').length, 3);
  assert.doesNotMatch(backend.text(), /session-secret/);
});

test('whatever a backend sends has an origin of its own where our pages are, with and without a cookie of theirs', async (t) => {
  const { port } = await startWithPages(t);
  for (const fields of [[], ['Cookie: __Host-latchkey=x'], ['Transfer-Encoding: chunked']]) {
    const isChunked = fields[0]?.startsWith('Transfer') === true;
    const connection = await openRaw(port);
    t.after(() => connection.destroy());
    const asked = head(isChunked ? 'POST' : 'GET', '/holiday.html', [authorized, ...fields]);
    await connection.send(isChunked ? `${asked}0\r\n\r\n` : asked);
    assert.match(field(await connection.nextResponse(), 'Content-Security-Policy') ?? '', /^sandbox /);
  }
});

test('our pages see every field of the head', async (t) => {
  const seen: unknown[] = [];
  const ownPages: OwnPages = {
    handle(req, res) {
      seen.push(req.headers['accept-language'], req.headers.host);
      res.end();
    },
  };
  const { port } = await startListener(t, { ownPages });
  await exchange(port, 'GET', '/.latchkey/', ['Accept-Language: de']);
  assert.deepEqual(seen, ['de', 'gw.example']);
});

test('a token in an address of ours is refused, as it is anywhere', async (t) => {
  const { port, visits, records } = await startWithPages(t);
  const token = mintToken(systemRandom);
  for (const target of [
    `/.latchkey/?session=${token}`,
    `/.latchkey/${token}`,
    `/.latchkey/?x=%6C${token.slice(1)}`,
  ]) {
    assert.equal(status(await exchange(port, 'GET', target)), 400);
    assert.equal(records.at(-1)?.outcome, 'token_in_url');
  }
  assert.deepEqual(visits, []);
});

test('a request of ours has to be here within half a minute; its answer may take longer', async (t) => {
  let handled = Promise.withResolvers<ServerResponse>();
  const { port } = await startListener(t, {
    ownPages: { handle: (_req, res) => handled.resolve(res as ServerResponse) },
  });
  const afterHalfAMinute = async (request: string) => {
    handled = Promise.withResolvers();
    const connection = await openRaw(port);
    t.after(() => connection.destroy());
    t.mock.timers.enable({ apis: ['setTimeout'] });
    connection.socket.write(request);
    const res = await handled.promise;
    t.mock.timers.tick(30_000);
    t.mock.timers.reset();
    return { connection, res };
  };

  const slow = await afterHalfAMinute(head('GET', '/.latchkey/api/v1/audit/export'));
  slow.res.end('all of it');
  assert.equal((await slow.connection.nextResponse()).body.toString(), 'all of it');

  const late = await afterHalfAMinute(`${head('POST', '/.latchkey/tokens/new', ['Content-Length: 2'])}x`);
  await late.connection.closed;
  assert.deepEqual(late.connection.responses, []);
});
