import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createPortal, type PortalDeps } from '../../src/web/portal/portal.ts';
import { personPassword, type PlainBrowser, type PortalWorld, startPortal } from '../support/portal.ts';

const script = `"'><script>alert(1)</script><img src=x onerror=alert(1)>`;

/** Every address that takes a form, as the router knows it. */
function formAddresses(): readonly string[] {
  const { router } = createPortal({} as PortalDeps);
  return router.routes.filter(({ method }) => method === 'POST').map(({ path }) => path);
}

describe('hostile people at the pages', () => {
  let world: PortalWorld;
  let alice: PlainBrowser;
  let bob: PlainBrowser;
  let aliceId = '';
  let tokenId = '';

  before(async () => {
    world = await startPortal();
    await world.person('alice', personPassword, { admin: true });
    await world.person('bob');
    [alice, bob] = [world.browser(), world.browser()];
    await alice.signIn('alice', personPassword);
    await bob.signIn('bob', personPassword);
    tokenId = await make(alice, 'Mine');
    aliceId =
      /\/admin\/users\/([\w-]{36})/.exec(await text(alice, '/.latchkey/admin/users?q=alice'))?.[1] ?? '';
  });
  after(() => world.stop());

  async function make(who: PlainBrowser, name: string): Promise<string> {
    const fields = { name, expiry: '90', access: 'everything' };
    const page = await (await who.post('/.latchkey/tokens/new', fields)).text();
    return /data-settle="\/\.latchkey\/tokens\/([\w-]+)"/.exec(page)?.[1] ?? assert.fail(page);
  }

  const text = async (who: PlainBrowser, path: string): Promise<string> => (await who.get(path)).text();
  const filledIn = (path: string): string =>
    `/.latchkey${path}`
      .replace('/users/:id', `/users/${aliceId}`)
      .replace(':id', tokenId)
      .replace(':source', 'company')
      .replace(':secret', 'a'.repeat(43));

  test('no form is taken without its token, with another’s, or from another site', async () => {
    const addresses = formAddresses();
    assert.ok(addresses.length >= 20, `${addresses.length} addresses take forms`);
    const own = await alice.csrf();
    const forgeries: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
      ['', {}],
      [await bob.csrf(), {}],
      [own, { 'Sec-Fetch-Site': 'cross-site' }],
      [own, { Origin: 'https://evil.example' }],
    ];
    for (const path of addresses) {
      for (const [csrf, headers] of forgeries) {
        const body = new URLSearchParams({ csrf, enabled: 'no', sure: 'yes', id: tokenId, name: 'x' });
        const answer = await alice.fetch(filledIn(path), { method: 'POST', body, headers });
        assert.equal(answer.status, 403, `${path} with ${JSON.stringify(headers)}`);
      }
    }
    assert.match(await text(alice, `/.latchkey/tokens/${tokenId}`), /Active/);
  });

  test('somebody else’s token is nowhere to be found, whatever is asked of it', async () => {
    for (const path of ['', '/regenerate', '/revoke', '/first-use']) {
      assert.equal((await bob.fetch(`/.latchkey/tokens/${tokenId}${path}`)).status, 404, path);
    }
    assert.equal((await bob.get(`/.latchkey/tokens/new?from=${tokenId}`)).status, 404);
    const fields = {
      name: 'x',
      expiry: '90',
      access: 'everything',
      version: '1',
      enabled: 'no',
      sure: 'yes',
      id: tokenId,
    };
    for (const path of [`/tokens/${tokenId}`, `/tokens/${tokenId}/regenerate`, `/tokens/${tokenId}/revoke`]) {
      assert.equal((await bob.post(`/.latchkey${path}`, fields)).status, 404, path);
    }
    assert.equal((await bob.post(`/.latchkey/tokens/${tokenId}/switch`, fields)).status, 404);
    assert.equal((await bob.post('/.latchkey/tokens/revoke', fields)).status, 404);
    assert.equal((await bob.post(`/.latchkey/tokens/new?from=${tokenId}`, fields)).status, 404);
    assert.match(await text(alice, `/.latchkey/tokens/${tokenId}`), /<h1>Mine<\/h1>.*Active/s);
  });

  test('nobody makes a token for somebody else, nor reads of others, but who manages them', async () => {
    for (const path of [
      `/tokens/new?for=${aliceId}`,
      `/admin/users/${aliceId}/disable`,
      `/admin/users/${aliceId}/remove`,
    ]) {
      assert.ok([403, 404].includes((await bob.get(`/.latchkey${path}`)).status), path);
    }
    const made = await bob.post(`/.latchkey/tokens/new?for=${aliceId}`, {
      name: 'x',
      expiry: '90',
      access: 'everything',
    });
    assert.equal(made.status, 404);
    for (const deed of ['', '/disable', '/enable', '/remove', '/password-link', '/sign-out']) {
      const answer = await bob.post(`/.latchkey/admin/users/${aliceId}${deed}`, {
        role: 'user',
        version: '1',
      });
      assert.ok([403, 404].includes(answer.status), deed);
    }
    assert.equal((await bob.post('/.latchkey/admin/users/new', { name: 'mallory' })).status, 403);
    assert.equal((await bob.post('/.latchkey/admin/policy', { version: '0' })).status, 403);
  });

  test('script in names stays text on every page', async () => {
    const id = await make(bob, script);
    const token = await world.gateway.token({ user: 'bob', scopes: ['*'] });
    const headers = { Authorization: `Bearer ${token}`, 'User-Agent': `Evil${script}` };
    await (await fetch(`${world.gateway.url}/`, { headers })).arrayBuffer();
    const named = await alice.post('/.latchkey/admin/users/new', {
      name: 'mallory',
      displayName: script,
      email: '',
    });
    assert.equal(named.status, 201);
    const pages: readonly (readonly [PlainBrowser, string])[] = [
      ...[
        '/',
        `/tokens/${id}`,
        `/tokens/${id}/revoke`,
        `/tokens/${id}/regenerate`,
        `/tokens/new?from=${id}`,
      ].map((path) => [bob, path] as const),
      [bob, '/devices'],
      ...['/admin/users', '/admin/tokens', '/admin/audit', `/?q=${encodeURIComponent(script)}`].map(
        (path) => [alice, path] as const,
      ),
    ];
    for (const [who, path] of pages) {
      const page = await text(who, `/.latchkey${path}`);
      assert.doesNotMatch(page, /<script>|<img src=x/, path);
    }
    assert.match(await text(bob, '/.latchkey/'), /&lt;script&gt;alert\(1\)/);
    assert.match(await text(alice, '/.latchkey/admin/users'), /&lt;script&gt;alert\(1\)/);
  });

  test('signing in leads to pages of ours alone', async () => {
    for (const next of [
      'https://evil.example/',
      '//evil.example/',
      '/\\evil.example',
      '/.latchkey/../dav/',
      'javascript:alert(1)',
    ]) {
      const browser = world.browser();
      const csrf = await browser.csrf();
      const body = new URLSearchParams({ csrf, username: 'bob', password: personPassword, next });
      const answer = await browser.fetch('/.latchkey/sign-in', { method: 'POST', body });
      assert.equal(answer.headers.get('Location'), '/.latchkey/', next);
    }
  });

  test('a spreadsheet finds no formula in the audit log', async () => {
    assert.equal((await world.gateway.command(['user', 'add', '=1+cmd'])).code, 0);
    const csv = await text(alice, '/.latchkey/admin/audit/export.csv?action=user.add');
    assert.match(csv, /,"'=1\+cmd",/);
    assert.doesNotMatch(csv, /,"?=1/);
    const lines = (await text(alice, '/.latchkey/admin/audit/export.ndjson?action=user.add'))
      .trimEnd()
      .split('\n');
    assert.ok(lines.some((line) => (JSON.parse(line) as { userName: string }).userName === '=1+cmd'));
  });

  test('the value of a token is on the page that made it, and on no other', async () => {
    const fields = { name: 'Shown once', expiry: '90', access: 'everything' };
    const made = await alice.post('/.latchkey/tokens/new', fields);
    assert.equal(made.headers.get('Cache-Control'), 'no-store');
    const value = /lk_[0-9A-Za-z]{42}/.exec(await made.text())?.[0] ?? '';
    assert.notEqual(value, '');
    for (const path of ['/', '/devices', '/admin/tokens', '/admin/audit', '/admin/audit/export.ndjson']) {
      assert.ok(!(await text(alice, `/.latchkey${path}`)).includes(value), path);
    }
    assert.ok(!world.gateway.output().includes(value));
  });
});
