import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { freePort } from '../support/free-port.ts';
import { basic, route, startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordingBackend } from '../support/recording-backend.ts';

const mainPassword = 'canary-main-password-5Jx';
const wrongPassword = 'canary-wrong-password-8Qz';
const servicePassword = 'canary-service-password-2Wm';
const sharedPassword = 'canary-shared-secret-9Lk';
const pepper = 'canary-pepper-7Tn-0123456789-0123456789-0123456789';
/** Of the right form in every respect but its checksum. */
const malformedToken = `lk_${'C'.repeat(42)}`;

/** Every spelling in which a secret could turn up. */
function spellings(secret: string): readonly string[] {
  return [
    secret,
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64').replace(/=+$/, ''),
    Buffer.from(`alice:${secret}`).toString('base64').replace(/=+$/, ''),
    Buffer.from(secret).toString('hex'),
  ];
}

describe('secrets turn up nowhere [S13, CVE-2026-41181, CVE-2022-23469]', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let token: string;
  let revoked: string;
  /** Every byte that any client was sent. */
  let answers = '';
  let commands = '';

  const call = async (
    method: string,
    target: string,
    fields: readonly string[],
    body = '',
  ): Promise<void> => {
    const answer = await exchange(gateway.port, method, target, fields, body);
    answers += answer.head + answer.body.toString('latin1');
  };
  const command = async (...args: readonly string[]): Promise<string> => {
    const { stdout, stderr } = await gateway.command(args);
    commands += stdout + stderr;
    return stdout;
  };

  before(async () => {
    backend = await startRecordingBackend();
    const accept = ['basic', 'bearer', { header: 'apiToken' }, { query: 'session' }];
    const inner = { backend: backend.url, accept };
    const serviceAccount = { user: 'svc', password: { fromEnv: 'CANARY_SERVICE' } };
    const sharedSecret = { fromEnv: 'CANARY_SHARED' };
    gateway = await startGateway({
      routes: [
        route(inner),
        route({ name: 'open', match: { path: '/open/' }, mainPassword: 'allow', ...inner }),
        route({ name: 'service', match: { path: '/service/' }, backendAuth: { serviceAccount }, ...inner }),
        route({ name: 'shared', match: { path: '/shared/' }, backendAuth: { sharedSecret }, ...inner }),
        route({
          name: 'down',
          match: { path: '/down/' },
          ...inner,
          backend: `http://127.0.0.1:${await freePort()}`,
        }),
      ],
      config: { peppers: [{ id: 'canary', secret: { fromEnv: 'CANARY_PEPPER' } }], log: { level: 'debug' } },
      env: { CANARY_SERVICE: servicePassword, CANARY_SHARED: sharedPassword, CANARY_PEPPER: pepper },
    });
    await gateway.user('alice', mainPassword);
    token = await gateway.token();
    revoked = await gateway.token({ args: ['--expires', '30d'] });
    await useEverySecret();
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );

  async function useEverySecret(): Promise<void> {
    const tokens = JSON.parse(await command('token', 'list', '--user', 'alice', '--json')) as unknown;
    const ids = [...JSON.stringify(tokens).matchAll(/"id":"([^"]+)"/g)].map(([, id]) => id ?? '');
    assert.ok(ids.length >= 2, 'both tokens are listed');
    for (const id of ids) await command('token', 'show', id, '--json');
    await command('token', 'revoke', ids.at(-1) ?? '');
    await command('config', 'show');
    await command('doctor');

    for (const value of [token, revoked]) {
      const fields = [`Authorization: ${basic('alice', token)}`];
      await call('GET', `/dav/a?other=${value}`, fields);
      await call('GET', `/dav/a?other=1&x=%6C${value.slice(1)}`, fields);
      await call('GET', `/dav/${value}`, fields);
    }
    for (const secret of [token, revoked, malformedToken, wrongPassword, mainPassword]) {
      for (const path of ['/dav/a', '/open/a', '/service/a', '/shared/a', '/down/a', '/.latchkey/a']) {
        await call('GET', path, [`Authorization: ${basic('alice', secret)}`]);
        await call('PUT', path, [`Authorization: Bearer ${secret}`, 'Expect: 100-continue'], 'body');
        await call('GET', path, [`apiToken: ${secret}`]);
        await call('GET', `${path}?session=${secret}&v=1`, [
          `Referer: http://gw.example${path}?session=${secret}`,
        ]);
        await call('GET', `${path}?v=1&session=${secret}`, [`Authorization: Bearer ${secret}`]);
        await call('GET', `${path}?SESSION=${secret}&%73ession=${secret}`, []);
      }
      await call('GET', '/dav/a', [`Authorization: Digest username="alice", response="${secret}"`]);
      await call('GET', '/dav/a', [`Authorization: Basic ${secret}`]);
      await call('GET', '/dav/a', [`Authorization: ${secret}`]);
      await call('GET', '/dav/a', [`Authorization: Bearer ${secret}`, `Authorization: Bearer ${secret}`]);
      await call('GET', '/dav/a', [
        `Proxy-Authorization: ${basic('alice', secret)}`,
        `Authorization: Bearer ${token}`,
      ]);
      await call('MOVE', '/dav/a', [
        `Authorization: Bearer ${token}`,
        `Destination: /dav/b?session=${secret}`,
      ]);
      await sendBroken(`GET /dav/a HTTP/1.1\r\nHost: gw.example\r\nAuthorization : Bearer ${secret}\r\n\r\n`);
      await sendBroken(`GET /dav/a#${secret} HTTP/1.1\r\nHost: gw.example\r\nBad Name: ${secret}\r\n\r\n`);
      await sendBroken(
        head('GET', '/ws', ['Connection: Upgrade', 'Upgrade: websocket', `apiToken: ${secret}`]),
      );
    }
  }

  async function sendBroken(bytes: string): Promise<void> {
    const raw = await openRaw(gateway.port);
    await raw.send(bytes);
    await raw.nextResponse().catch(() => null);
    answers += raw.received().toString('latin1');
    raw.destroy();
  }

  const everySecret = (): Readonly<Record<string, string>> => ({
    'a token': token,
    'a revoked token': revoked,
    'a malformed token': malformedToken,
    'the main password': mainPassword,
    'a wrong password': wrongPassword,
    'the service account': servicePassword,
    'the shared secret': sharedPassword,
    'the pepper': pepper,
  });

  function assertFree(text: string, where: string, except: readonly string[] = []): void {
    for (const [name, secret] of Object.entries(everySecret())) {
      if (except.includes(name)) continue;
      for (const spelling of spellings(secret)) {
        const at = text.indexOf(spelling);
        assert.ok(at < 0, `${name} in ${where}: …${text.slice(Math.max(0, at - 200), at + 80)}…`);
      }
    }
  }

  test('the requests did what they should: some were served, some refused, some failed', () => {
    for (const code of [200, 400, 401, 502]) assert.match(answers, new RegExp(`HTTP/1.1 ${code} `));
    assert.ok(backend.requests.length > 20);
  });

  test('not in the log', () => {
    assert.ok(gateway.logLines().length > 50);
    assertFree(gateway.output(), 'the log');
  });

  test('no query string is in the log', () => {
    assert.ok(!gateway.output().includes('session='));
    assert.ok(!gateway.output().includes('v=1'));
  });

  test('not in the metrics', async () => {
    const text = await gateway.metricsText();
    assert.match(text, /latchkey_http_requests_total/);
    assertFree(text, 'the metrics');
    assert.ok(!text.includes('alice'), 'no user in a label');
    assert.ok(!text.includes('/dav'), 'no path in a label');
  });

  test('not in any answer', () => {
    assertFree(answers, 'an answer');
  });

  test('not in what the backend gets, but for what the gateway itself is told to send there', () => {
    for (const request of backend.requests) {
      const own = request.target.startsWith('/service/')
        ? ['the service account']
        : request.target.startsWith('/shared/')
          ? ['the shared secret']
          : [];
      // A wrong secret, or a password, in a place where none is looked for is the client's own data.
      const text = request.head.replace(/^proxy-authorization:.*$/gim, '');
      const guesses = Object.keys(everySecret()).filter((name) => !/^a (revoked )?token$/.test(name));
      const passed = /%73ession|SESSION/.test(request.target) ? guesses : own;
      assertFree(text, `the backend: ${request.head}`, [...own, ...passed]);
      assert.ok(!/^proxy-authorization:/im.test(request.head), 'Proxy-Authorization is for us');
    }
  });

  test('not in what the commands print', () => {
    assert.match(commands, /alice/);
    assertFree(commands, 'what the commands print');
  });

  test('not in the store nor in any other file of the data folder', async () => {
    const names = await readdir(gateway.dataDir, { recursive: true, withFileTypes: true });
    const files = names.filter((each) => each.isFile());
    assert.ok(files.length > 0);
    for (const file of files) {
      const path = join(file.parentPath, file.name);
      assertFree((await readFile(path)).toString('latin1'), path);
    }
  });
});
