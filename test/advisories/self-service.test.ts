import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { personPassword, type PlainBrowser, type PortalWorld, startPortal } from '../support/portal.ts';

const api = '/.latchkey/api/v1';

interface ShownToken {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
}

describe('self-service', () => {
  let world: PortalWorld;
  before(async () => {
    world = await startPortal();
  });
  after(() => world?.stop());

  async function command(...args: readonly string[]): Promise<string> {
    const done = await world.gateway.command(args);
    assert.equal(done.code, 0, done.stderr);
    return done.stdout.trim();
  }

  async function tokensOf(user: string): Promise<readonly ShownToken[]> {
    return JSON.parse(await command('token', 'list', '--user', user, '--json')) as readonly ShownToken[];
  }

  /** Asks the API as this browser's script would. */
  async function ask(browser: PlainBrowser, method: string, path: string, body?: object): Promise<Response> {
    const headers = { 'X-CSRF-Token': await browser.csrf(), 'Content-Type': 'application/json' };
    const sent = body === undefined ? {} : { body: JSON.stringify(body) };
    return browser.fetch(`${api}${path}`, { method, headers, ...sent });
  }

  async function codeOf(answer: Response): Promise<string> {
    return ((await answer.json()) as { readonly code: string }).code;
  }

  test('makes, renews and widens no token for a session alone: it wants proof of presence of late [S18, GHSA-j4qm-5q5x-54m5]', async () => {
    await command('user', 'add', 'lisa');
    const browser = world.browser();
    // Whoever found the link has a session, and has shown no password yet.
    const link = await command('user', 'link', 'lisa');
    assert.equal((await browser.post(link, { next: personPassword, again: personPassword })).status, 200);
    const id = JSON.parse(
      await command('token', 'create', '--user', 'lisa', '--name', 'a', '--scope', 'path:/a/:r', '--json'),
    ) as ShownToken;
    const wishes: readonly (readonly [string, string, object])[] = [
      ['POST', '/tokens', { name: 'b', scopes: ['*'] }],
      ['PATCH', `/tokens/${id.id}`, { scopes: ['*'] }],
      ['POST', `/tokens/${id.id}/regenerate`, {}],
      ['POST', `/tokens/${id.id}/copy`, {}],
    ];
    for (const [method, path, body] of wishes) {
      assert.equal(await codeOf(await ask(browser, method, path, body)), 'confirmation_needed', path);
    }
    const form = { name: 'b', access: 'everything', expiry: 'never', scope: '*' };
    const page = await (await browser.post('/.latchkey/tokens/new', form)).text();
    assert.match(page, /name="confirm_password"/);
    const before = await tokensOf('lisa');
    assert.deepEqual(
      before.map(({ name, scopes }) => [name, scopes]),
      [['a', ['path:/a/:r']]],
    );
    assert.equal((await ask(browser, 'POST', '/session/confirm', { password: personPassword })).status, 200);
    assert.equal((await ask(browser, 'POST', '/tokens', { name: 'b', scopes: ['*'] })).status, 201);
  });

  test('lets no app token manage tokens, its own scopes least of all [S17, CVE-2021-32688]', async () => {
    await world.person('mona', personPassword, { admin: true });
    const made = ['token', 'create', '--user', 'mona', '--name', 'a', '--scope', '*', '--json'];
    const { id, value } = JSON.parse(await command(...made)) as ShownToken & { readonly value: string };
    const credentials = [`Bearer ${value}`, `Basic ${btoa(`mona:${value}`)}`];
    const wishes: readonly (readonly [string, string, object | null])[] = [
      ['GET', '/tokens', null],
      ['GET', `/tokens/${id}`, null],
      ['POST', '/tokens', { name: 'b', scopes: ['*'] }],
      ['PATCH', `/tokens/${id}`, { scopes: ['route:x:r'] }],
      ['PATCH', '/self', { scopes: ['route:x:r'] }],
      ['POST', `/tokens/${id}/regenerate`, {}],
      ['POST', `/tokens/${id}/copy`, {}],
      ['DELETE', `/tokens/${id}`, null],
      ['GET', '/users', null],
      ['POST', '/users', { name: 'x', password: null }],
      ['GET', '/audit', null],
      ['GET', '/session', null],
    ];
    const kept = await tokensOf('mona');
    for (const Authorization of credentials) {
      for (const [method, path, body] of wishes) {
        const headers = { Authorization, 'Content-Type': 'application/json' };
        const sent = body === null ? {} : { body: JSON.stringify(body) };
        const answer = await fetch(`${world.gateway.url}${api}${path}`, { method, headers, ...sent });
        assert.ok([401, 404, 405].includes(answer.status), `${method} ${path}: ${answer.status}`);
      }
      for (const page of ['/.latchkey/', '/.latchkey/tokens/new', '/.latchkey/admin/users']) {
        const headers = { Authorization };
        const answer = await fetch(`${world.gateway.url}${page}`, { headers, redirect: 'manual' });
        assert.match(`${answer.status} ${answer.headers.get('Location')}`, /^303 .*sign-in/, page);
      }
      const self = await fetch(`${world.gateway.url}${api}/self`, { headers: { Authorization } });
      assert.deepEqual(((await self.json()) as ShownToken).scopes, ['*']);
    }
    assert.deepEqual(
      (await tokensOf('mona')).map(({ id: one, name, scopes }) => [one, name, scopes]),
      kept.map(({ id: one, name, scopes }) => [one, name, scopes]),
    );
  });

  test('leads nobody who has signed in to another site, however the target is written [S3, GHSA-qqxw-m5fj-f7gv, CVE-2026-83589]', async () => {
    await world.person('olga');
    const evil = 'evil.example';
    const targets = [
      ...[
        `https://${evil}/`,
        `//${evil}`,
        `///${evil}`,
        `/\\${evil}`,
        `\\\\${evil}`,
        `/\t/${evil}`,
        `\t//${evil}`,
      ],
      ...[
        `/.latchkey//${evil}`,
        `/.latchkey/..//${evil}`,
        `/.latchkey/\\${evil}`,
        `/.latchkey/%2e%2e//${evil}`,
      ],
      ...[
        `/.latchkey@${evil}/`,
        `.latchkey.${evil}`,
        `https:${evil}`,
        `https:/.latchkey`,
        'javascript:alert(1)',
      ],
      ...[
        `/.latchkey\r\nLocation: https://${evil}/`,
        `/.latchkey/?next=https://${evil}`,
        'data:text/html,x',
        '',
      ],
    ];
    const leads = (answer: Response, target: string): void => {
      assert.equal(answer.status, 303, target);
      const location = answer.headers.get('Location') ?? '';
      const { origin, pathname } = new URL(location, `${world.gateway.url}/.latchkey/sign-in`);
      assert.equal(origin, world.gateway.url, `${JSON.stringify(target)} led to ${location}`);
      assert.match(pathname, /^\/\.latchkey\//, `${JSON.stringify(target)} led to ${location}`);
    };
    for (const next of targets) {
      const browser = world.browser();
      const body = new URLSearchParams({
        ...{ csrf: await browser.csrf(), username: 'olga', password: personPassword, next },
      });
      leads(await browser.fetch('/.latchkey/sign-in', { method: 'POST', body }), next);
      const query = new URLSearchParams({ next }).toString();
      leads(await browser.fetch(`/.latchkey/sign-in?${query}`), next);
    }
  });

  test('opens nothing to the cookie of a session that is over, however it ended [S3, CVE-2026-34454]', async () => {
    await world.person('nora');
    const endings: Readonly<Record<string, (browser: PlainBrowser) => Promise<unknown>>> = {
      'signed out': (browser) => browser.post('/.latchkey/sign-out', {}),
      'signed in anew': (browser) => browser.signIn('nora', personPassword),
      'ended from another browser': async () => {
        const other = world.browser();
        await other.signIn('nora', personPassword);
        assert.equal((await ask(other, 'DELETE', '/users/me/sessions')).status, 200);
      },
      'another password chosen': async () => {
        const done = await world.gateway.command(
          ['user', 'password', 'nora', '--password-stdin'],
          `${personPassword}\n`,
        );
        assert.equal(done.code, 0, done.stderr);
      },
      'disabled, and enabled again': async () => {
        await command('user', 'disable', 'nora');
        await command('user', 'enable', 'nora');
      },
    };
    for (const [ending, end] of Object.entries(endings)) {
      const browser = world.browser();
      await browser.signIn('nora', personPassword);
      const Cookie = browser.cookie();
      assert.equal((await browser.fetch('/.latchkey/', { headers: { Cookie } })).status, 200, ending);
      await end(browser);
      const page = await fetch(`${world.gateway.url}/.latchkey/`, {
        headers: { Cookie },
        redirect: 'manual',
      });
      assert.equal(page.status, 303, ending);
      const data = await fetch(`${world.gateway.url}${api}/tokens`, { headers: { Cookie } });
      assert.equal(data.status, 401, ending);
    }
  });
});
