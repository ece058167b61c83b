import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { freePort } from '../support/free-port.ts';
import { basic, type Gateway, startGateway } from '../support/gateway.ts';
import { field, type HttpMessage, status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';

/** A question as Traefik 3.6.12 was seen to put it: the client's fields and its own, set over the client's, in alphabetical order. */
function asTraefik(method: string, uri: string, fields: readonly string[]): readonly string[] {
  const own = [
    'X-Forwarded-For: 192.0.2.7',
    'X-Forwarded-Host: files.example.org',
    `X-Forwarded-Method: ${method}`,
    'X-Forwarded-Port: 443',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Server: traefik-1',
    `X-Forwarded-Uri: ${uri}`,
    'X-Real-Ip: 192.0.2.7',
  ];
  return ['User-Agent: curl/8.5.0', ...[...own, ...fields].toSorted(), 'Accept-Encoding: gzip'];
}

describe('the door for Traefik', () => {
  let gateway: Gateway;
  let port: number;
  let credential: string;
  before(async () => {
    port = await freePort();
    const config = { doors: { port, open: ['traefik'] } };
    gateway = await startGateway({ backend: 'http://127.0.0.1:9', config });
    await gateway.user('alice');
    credential = `Authorization: ${basic('alice', await gateway.token({ scopes: ['path:/dav/alice/:rw'] }))}`;
  });
  after(() => endAll(() => gateway?.stop()));

  const ask = (method: string, uri: string, fields: readonly string[] = [credential]): Promise<HttpMessage> =>
    exchange(port, 'GET', '/doors/traefik', asTraefik(method, uri, fields));

  test('allows with who asks, and with nothing in place of the credential', async () => {
    const answer = await ask('PUT', '/dav/alice/a%20b.txt?x=1');
    assert.equal(status(answer), 200, answer.head);
    assert.equal(field(answer, 'X-Remote-User'), 'alice');
    assert.equal(field(answer, 'Authorization'), null);
  });

  test('refuses with the very answer that the client is to get', async () => {
    const unknown = await ask('GET', '/dav/alice/a.txt', []);
    assert.equal(status(unknown), 401);
    assert.match(unknown.head, /^WWW-Authenticate: Basic realm="Latchkey", charset="UTF-8"\r$/m);
    assert.match(unknown.body.toString(), /A valid app token is needed/);
    assert.equal(status(await ask('GET', '/dav/bob/a.txt')), 403);
    assert.equal(status(await ask('GET', '/dav/alice/%2e%2e/bob/a.txt')), 400);
    assert.equal(status(await ask('GET', '/.latchkey/')), 404);
  });

  test('judges the Destination of a MOVE', async () => {
    const to = (url: string): Promise<HttpMessage> =>
      ask('MOVE', '/dav/alice/a.txt', [credential, `Destination: ${url}`]);
    const answer = await to('https://files.example.org/dav/alice/b.txt');
    assert.equal(field(answer, 'Destination'), 'https://files.example.org/dav/alice/b.txt');
    assert.equal(status(await to('https://files.example.org/dav/bob/b.txt')), 403);
    assert.equal(status(await to('https://elsewhere.example/dav/alice/b.txt')), 400);
  });

  test('refuses what Traefik would pass on: other spellings of identity, a token in the query', async () => {
    for (const each of [
      'X_Remote_User: bob',
      'X.Remote.User: bob',
      'X-Remote-User: bob',
      'X-Http-Method: PUT',
    ]) {
      assert.equal(status(await ask('GET', '/dav/alice/a.txt', [credential, each])), 400, each);
    }
  });

  test('is deaf to the fields of nginx, and answers 500 where a field of Traefik is missing or stands twice', async () => {
    const nginx = [
      'X-Original-Method: GET',
      'X-Original-URI: /dav/alice/a.txt',
      'X-Original-Host: files.example.org',
    ];
    const without = asTraefik('GET', '/dav/alice/a.txt', [credential]).filter((each) => !/-Uri:/.test(each));
    assert.equal(status(await exchange(port, 'GET', '/doors/traefik', [...without, ...nginx])), 500);
    assert.equal(
      status(await ask('GET', '/dav/alice/a', [credential, 'X-Forwarded-Uri: /dav/alice/b'])),
      500,
    );
  });
});
