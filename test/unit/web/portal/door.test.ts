import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { SignIn, SignInWay } from '../../../../src/management/sign-in.ts';
import { createPortal, type PortalDeps } from '../../../../src/web/portal/portal.ts';
import { startSite } from '../app-fixture.ts';

const ways: readonly SignInWay[] = [
  { kind: 'password', source: null, label: null },
  { kind: 'redirect', source: 'company', label: 'Company <b>' },
];

/** The pages in front of nobody, who can only sign in. */
async function startDoor(t: TestContext): Promise<string> {
  const signIn: Partial<SignIn> = { ways: () => ways };
  const deps: Partial<PortalDeps> = {
    signIn: signIn as SignIn,
    clock: { now: () => 0, monotonic: () => 0 },
    routes: [],
    productVersion: '1.2.3',
  };
  const { router, problemPage } = createPortal(deps as PortalDeps);
  return (await startSite(t, { portal: router, problemPage })).url;
}

test('who is not signed in is sent to sign in, and back afterwards', async (t) => {
  const url = await startDoor(t);
  const sent = await fetch(`${url}/.latchkey/tokens/new?from=1`, { redirect: 'manual' });
  assert.equal(sent.status, 303);
  const location = '/.latchkey/sign-in?next=%2F.latchkey%2Ftokens%2Fnew%3Ffrom%3D1';
  assert.equal(sent.headers.get('Location'), location);
  const page = await (await fetch(url + location)).text();
  assert.match(page, /name="next" value="\/\.latchkey\/tokens\/new\?from=1"/);
  assert.match(page, /Sign in with Company &lt;b&gt;/);
});

test('the sign-in page speaks the language of the browser', async (t) => {
  const url = await startDoor(t);
  const page = await fetch(`${url}/.latchkey/sign-in`, { headers: { 'Accept-Language': 'de-AT,en;q=0.5' } });
  const text = await page.text();
  assert.match(text, /<html lang="de">/);
  assert.match(text, /Anmelden mit Company/);
});

test('style sheets and scripts have addresses that change with them and are kept for good, by browsers alone', async (t) => {
  const url = await startDoor(t);
  const page = await (await fetch(`${url}/.latchkey/sign-in`)).text();
  const addresses = [...page.matchAll(/(?:href|src)="([^"]*\/static\/[^"]*)"/g)].map(
    ([, address = '']) => address,
  );
  assert.ok(addresses.length >= 5);
  for (const address of addresses) {
    const file = await fetch(url + address);
    assert.equal(file.status, 200, address);
    assert.equal(file.headers.get('Cache-Control'), 'private, max-age=31536000, immutable');
    const stale = await fetch(url + address.replace(/static\/[^/]+/, 'static/0123456789abcdef'));
    assert.equal(stale.status, 404);
    assert.equal(stale.headers.get('Cache-Control'), 'no-store');
  }
});

test('nothing on a page is inline or from elsewhere', async (t) => {
  const url = await startDoor(t);
  const page = await (await fetch(`${url}/.latchkey/sign-in`)).text();
  assert.doesNotMatch(page, /\sstyle=|\son[a-z]+=|<style|https?:\/\//i);
  assert.doesNotMatch(page, /<script(?![^>]*\ssrc=)/);
});

test('an address where nothing is says so in a page', async (t) => {
  const url = await startDoor(t);
  const answer = await fetch(`${url}/.latchkey/none`);
  assert.equal(answer.status, 404);
  assert.match(await answer.text(), /There is nothing here/);
});
