import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { startApache } from '../support/apache.ts';
import type { Apache } from '../support/apache.ts';
import { endAll } from '../support/end-all.ts';
import { route, startGateway } from '../support/gateway.ts';
import type { Gateway, RouteText } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import type { HttpMessage } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { replying, startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordingBackend } from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';

/** Apache refuses a Destination of another scheme or port than its own with 502. */
describe('addresses in requests to Apache mod_dav', requireProgram('apache2'), () => {
  for (const [way, options] of [
    ["the backend's Host", () => ({ host: 'backend' })],
    [
      "the client's Host and a stated backendOrigin",
      (url: string) => ({ host: 'preserve', backendOrigin: url }),
    ],
  ] as const) {
    describe(`with ${way}`, () => {
      let apache: Apache;
      let gateway: Gateway;
      let call: Call;
      before(async () => {
        apache = await startApache();
        gateway = await startGateway({ backend: apache.url, route: options(apache.url) });
        call = await caller(gateway, ['path:/dav/:rw']);
      });
      after(() =>
        endAll(
          () => gateway?.stop(),
          () => apache?.stop(),
        ),
      );

      test('PUT answers 201 with a Location of the gateway', async () => {
        const answer = await call('PUT', '/dav/a.txt', [], 'a');
        assert.equal(status(answer), 201);
        const location = field(answer, 'location');
        assert.ok(location === null || location === 'http://gw.example/dav/a.txt', `${location}`);
      });

      test('MOVE works with an absolute URL of the gateway', async () => {
        const answer = await call('MOVE', '/dav/a.txt', ['Destination: http://gw.example/dav/b.txt']);
        assert.equal(status(answer), 201, answer.body.toString());
        assert.ok(existsSync(join(apache.folder, 'b.txt')));
      });

      test('COPY works with an absolute path, odd characters included', async () => {
        const answer = await call('COPY', '/dav/b.txt', ['Destination: /dav/%C3%BC%20%23%20100%25.txt']);
        assert.equal(status(answer), 201, answer.body.toString());
        assert.ok(existsSync(join(apache.folder, 'ü # 100%.txt')));
      });

      test('a lock token in a tagged If list with an absolute URL of the gateway is found', async () => {
        const lock =
          "<d:lockinfo xmlns:d='DAV:'><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype></d:lockinfo>";
        const locked = await call('LOCK', '/dav/b.txt', ['Timeout: Second-60'], lock);
        assert.equal(status(locked), 200, locked.body.toString());
        const token = field(locked, 'lock-token') ?? '';
        assert.equal(status(await call('PUT', '/dav/b.txt', [], 'no')), 423);
        const tagged = await call(
          'PUT',
          '/dav/b.txt',
          [`If: <http://gw.example/dav/b.txt> (${token})`],
          'yes',
        );
        assert.equal(status(tagged), 204, tagged.body.toString());
        assert.equal(status(await call('UNLOCK', '/dav/b.txt', [`Lock-Token: ${token}`])), 204);
      });

      test('a Destination on another host is refused by the gateway', async () => {
        const answer = await call('MOVE', '/dav/b.txt', ['Destination: http://evil.example/dav/c.txt']);
        assert.equal(status(answer), 400);
        assert.ok(existsSync(join(apache.folder, 'b.txt')));
      });
    });
  }
});

describe('addresses and forwarded fields', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let call: Call;
  before(async () => {
    backend = await startRecordingBackend();
    const at = (name: string, fields: RouteText = {}): RouteText =>
      route({ name, match: { path: `/${name}/` }, backend: backend.url, ...fields });
    gateway = await startGateway({
      routes: [
        at('preserve'),
        at('backend', { host: 'backend' }),
        at('named', { host: 'dav.internal:8443' }),
        at('service', {
          backendAuth: { serviceAccount: { user: 'svc', password: { fromEnv: 'SVC_PASSWORD' } } },
        }),
        at('shared', { backendAuth: { sharedSecret: { fromEnv: 'SHARED_SECRET' } } }),
      ],
      env: { SVC_PASSWORD: 'service-password', SHARED_SECRET: 'shared-secret' },
    });
    call = await caller(gateway);
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

  const seen = (name: string): string | null => field(backend.requests.at(-1) ?? { fields: [] }, name);
  const basic = (user: string, password: string): string =>
    `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;

  test('Location and Content-Location of the backend become those of the gateway; others stay', async () => {
    for (const name of ['Location', 'Content-Location']) {
      backend.answerWith(replying(201, '', [`${name}: ${backend.url}/backend/new%20one?x=1`]));
      assert.equal(field(await call('PUT', '/backend/x'), name), 'http://gw.example/backend/new%20one?x=1');
      backend.answerWith(replying(201, '', [`${name}: /backend/relative`]));
      assert.equal(field(await call('PUT', '/backend/x'), name), '/backend/relative');
      backend.answerWith(replying(302, '', [`${name}: https://elsewhere.example/login`]));
      assert.equal(field(await call('PUT', '/backend/x'), name), 'https://elsewhere.example/login');
    }
  });

  test('X-Forwarded fields tell what the socket tells, and what a client claims is dropped', async () => {
    const spoofed = ['For: 198.51.100.7', 'Proto: https', 'Host: evil.example'].map(
      (each) => `X-Forwarded-${each}`,
    );
    await call('GET', '/preserve/a', [...spoofed, 'Forwarded: for=198.51.100.7', 'X-Real-IP: 198.51.100.7']);
    assert.equal(seen('x-forwarded-for'), '127.0.0.1');
    assert.equal(seen('x-forwarded-proto'), 'http');
    assert.equal(seen('x-forwarded-host'), 'gw.example');
    assert.ok(!backend.text().includes('198.51.100.7'), backend.text());
    assert.ok(!backend.text().includes('evil.example'), backend.text());
  });

  test('X-Forwarded fields of a trusted proxy are believed and extended', async () => {
    const behind = await startGateway({ backend: backend.url, config: { trustedProxies: ['127.0.0.1/32'] } });
    try {
      const callBehind = await caller(behind);
      await callBehind('GET', '/dav/a', ['X-Forwarded-For: 198.51.100.7', 'X-Forwarded-Proto: https']);
      assert.equal(seen('x-forwarded-for'), '198.51.100.7, 127.0.0.1');
      assert.equal(seen('x-forwarded-proto'), 'https');
    } finally {
      await behind.stop();
    }
  });

  for (const [name, wanted] of [
    ['preserve', () => 'gw.example'],
    ['backend', () => `127.0.0.1:${backend.port}`],
    ['named', () => 'dav.internal:8443'],
  ] as const) {
    test(`a route with host: ${name} sends the Host that it names`, async () => {
      await call('GET', `/${name}/a`);
      assert.equal(seen('host'), wanted());
    });
  }

  test('a service account or a shared secret stands where the credential of the client stood', async () => {
    await call('GET', '/service/a');
    assert.equal(seen('authorization'), basic('svc', 'service-password'));
    await call('GET', '/shared/a');
    assert.equal(seen('authorization'), basic('alice', 'shared-secret'));
  });

  test('a backend that refuses the gateway itself is a fault of ours, never a 401 for the client', async () => {
    backend.answerWith(replying(401, '', ['WWW-Authenticate: Basic realm="inner"']));
    for (const name of ['service', 'shared']) {
      const refused = await call('GET', `/${name}/a`);
      assert.equal(status(refused), 502);
      assert.equal(field(refused, 'www-authenticate'), null);
    }
  });

  test('the path goes out byte for byte, and nothing of the client is lost or doubled', async () => {
    const target = '/preserve/%C3%BC/a%20b%2Bc;v=1/~x/(y)/@z?q=%2F&r=a+b';
    await call('GET', target, ['Accept: a', 'Accept: b', 'X-Custom: 1', 'If-None-Match: "x"']);
    const request = backend.requests.at(-1);
    assert.equal(request?.target, target);
    assert.deepEqual(
      request?.fields.filter(([name]) => /^(accept|x-custom|if-none-match)$/i.test(name)),
      [
        ['Accept', 'a'],
        ['Accept', 'b'],
        ['X-Custom', '1'],
        ['If-None-Match', '"x"'],
      ],
    );
  });
});

type Call = (
  method: string,
  target: string,
  fields?: readonly string[],
  body?: string,
) => Promise<HttpMessage>;

/** Calls of alice, with a token for everything. */
async function caller(gateway: Gateway, scopes: readonly string[] = ['*']): Promise<Call> {
  await gateway.user('alice');
  const token = await gateway.token({ scopes });
  return (method, target, fields = [], body = '') =>
    exchange(gateway.port, method, target, [`Authorization: Bearer ${token}`, ...fields], body);
}
