import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { test } from 'node:test';
import { Fault } from '../../../src/core/errors.ts';
import { csrfToken } from '../../../src/web/csrf.ts';
import { eventually } from '../../support/eventually.ts';
import { aliceSecret, startSite, type StartedSite } from './app-fixture.ts';

const session = { Cookie: `__Host-latchkey=${aliceSecret}` };
const csrf = csrfToken(aliceSecret);

function post(
  { url }: StartedSite,
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const body = new URLSearchParams(fields);
  return fetch(`${url}/.latchkey${path}`, { method: 'POST', body, headers, redirect: 'manual' });
}

test('every answer keeps a browser strict: pages, API, refusals and failures', async (t) => {
  const { url } = await startSite(t);
  for (const path of ['/.latchkey/', '/.latchkey/api/who', '/.latchkey/none', '/.latchkey/api/broken']) {
    const { headers } = await fetch(url + path);
    const policy = headers.get('Content-Security-Policy') ?? '';
    assert.match(policy, /default-src 'none'/, path);
    assert.match(policy, /frame-ancestors 'none'/, path);
    assert.match(policy, /form-action 'self' https:\/\/id\.example;/, path);
    assert.doesNotMatch(policy, /unsafe/, path);
    assert.equal(headers.get('Cache-Control'), 'no-store', path);
    assert.equal(headers.get('X-Frame-Options'), 'DENY', path);
    assert.equal(headers.get('Referrer-Policy'), 'same-origin', path);
    assert.equal(headers.get('X-Content-Type-Options'), 'nosniff', path);
  }
});

test('a form counts with the token of the session, and without it nothing happens', async (t) => {
  const site = await startSite(t);
  assert.equal((await post(site, '/', { name: 'x', csrf }, session)).status, 200);
  assert.deepEqual(site.posted, ['x']);
  for (const wrong of [{}, { csrf: '' }, { csrf: 'other' }, { csrf: csrfToken('of another') }]) {
    const refused = await post(site, '/', { name: 'y', ...wrong }, session);
    assert.equal(refused.status, 403);
    assert.match(await refused.text(), /reload the page/);
  }
  assert.deepEqual(site.posted, ['x']);
});

test('a request that a page of another site made is refused, whatever it carries', async (t) => {
  const site = await startSite(t);
  for (const foreign of [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
  ]) {
    assert.equal((await post(site, '/', { csrf }, { ...session, ...foreign })).status, 403);
    assert.equal(
      (await post(site, '/api/who', {}, { ...session, ...foreign, 'X-CSRF-Token': csrf })).status,
      403,
    );
  }
  const own = { 'Sec-Fetch-Site': 'same-origin', Origin: site.url };
  assert.equal((await post(site, '/', { csrf }, { ...session, ...own })).status, 200);
});

test('forms of somebody not signed in are bound to their browser', async (t) => {
  const site = await startSite(t);
  const page = await fetch(`${site.url}/.latchkey/`);
  const cookie = (page.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '';
  const [, token = ''] = (await page.text()).split(' ');
  assert.equal((await post(site, '/', { csrf: token }, { Cookie: cookie })).status, 200);
  assert.equal((await post(site, '/', { csrf: token })).status, 403);
});

test('the API takes the token of the session from a header alone', async (t) => {
  const site = await startSite(t);
  assert.equal((await post(site, '/api/who', { csrf }, session)).status, 403);
  const counted = await post(site, '/api/who', {}, { ...session, 'X-CSRF-Token': csrf });
  assert.deepEqual(await counted.json(), { name: 'alice' });
});

test('a form of another site is refused also where the browser adds a password that it knows for this host', async (t) => {
  const site = await startSite(t);
  const Authorization = 'Basic eDp5';
  assert.equal((await post(site, '/', { name: 'x' }, { Authorization })).status, 403);
  for (const foreign of [{ 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'https://evil.example' }]) {
    const sent = { ...session, ...foreign, Authorization };
    assert.equal((await post(site, '/', { name: 'x', csrf }, sent)).status, 403);
  }
  assert.deepEqual(site.posted, []);
});

test('pages know who is signed in also where the browser brings a password for a backend on this host', async (t) => {
  const site = await startSite(t);
  const headers = { ...session, Authorization: 'Basic eDp5' };
  assert.match(await (await fetch(`${site.url}/.latchkey/`, { headers })).text(), /^alice /);
  assert.equal((await post(site, '/', { name: 'x', csrf }, headers)).status, 200);
});

test('a cookie whose name only looks like ours once white space is taken off does not count', async (t) => {
  const site = await startSite(t);
  for (const before of ['\u00a0', '\u0085', '\t', '  ', '"']) {
    const Cookie = `a=b; ${before}__Host-latchkey=${aliceSecret}`;
    const answer = await rawGet(`${site.url}/.latchkey/api/who`, Cookie);
    assert.doesNotMatch(answer, /alice/, JSON.stringify(before));
  }
  assert.match(await rawGet(`${site.url}/.latchkey/api/who`, `a=b; __Host-latchkey=${aliceSecret}`), /alice/);
});

test('a request to the API with an Authorization of its own is nobody’s session', async (t) => {
  const site = await startSite(t);
  for (const method of ['GET', 'POST']) {
    const answer = await fetch(`${site.url}/.latchkey/api/who`, {
      method,
      headers: { ...session, Authorization: 'Bearer x', 'X-CSRF-Token': csrf },
    });
    assert.deepEqual(await answer.json(), { name: null });
  }
});

test('of two session cookies none counts', async (t) => {
  const { url } = await startSite(t);
  const Cookie = `__Host-latchkey=${aliceSecret}; __Host-latchkey=other`;
  const answer = await fetch(`${url}/.latchkey/api/who`, { headers: { Cookie } });
  assert.deepEqual(await answer.json(), { name: null });
});

test('cookies are out of reach of scripts and other sites, and secure wherever the browser allows it', async (t) => {
  const here = await startSite(t);
  const [visitor = ''] = (await fetch(`${here.url}/.latchkey/`)).headers.getSetCookie();
  assert.match(visitor, /^__Host-latchkey-visitor=[\w-]{22}; .*Path=\/;?/);
  for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Lax'])
    assert.ok(visitor.includes(attribute), attribute);
  assert.doesNotMatch(visitor, /Domain/i);
  const remote = await fetchAs(here.url, 'files.example');
  assert.match(remote, /^latchkey_visitor=/);
  assert.doesNotMatch(remote, /Secure/);
});

test('where the operator named an address, the pages are under no other', async (t) => {
  const site = await startSite(t, { url: 'https://tokens.example', scheme: 'https' });
  const page = await fetch(`${site.url}/.latchkey/?a=1`, { redirect: 'manual' });
  assert.equal(page.status, 308);
  assert.equal(page.headers.get('Location'), 'https://tokens.example/.latchkey/?a=1');
  assert.equal((await post(site, '/', { csrf }, session)).status, 421);
});

test('more than 64 KiB is refused, with or without a length', async (t) => {
  const site = await startSite(t);
  const large = 'x'.repeat(70_000);
  assert.equal((await post(site, '/', { name: large, csrf }, session)).status, 413);
  const streamed = await fetch(`${site.url}/.latchkey/`, {
    method: 'POST',
    body: new Blob([large]).stream(),
    duplex: 'half',
    headers: { ...session, 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  assert.equal(streamed.status, 413);
  assert.deepEqual(site.posted, []);
});

test('a client that leaves in the middle of its form is no failure of ours', async (t) => {
  let ended = 0;
  const { url, faults } = await startSite(t, {
    problemPage(c, { status }) {
      ended++;
      return c.text('', status as 400);
    },
  });
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => socket.destroy());
  const fields = 'Host: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100';
  socket.write(`POST /.latchkey/ HTTP/1.1\r\n${fields}\r\n\r\nname=`, () => socket.resetAndDestroy());
  await eventually('the end of the request', () => ended === 1);
  assert.deepEqual(faults, []);
});

test('a failure of ours is 5xx, told without its cause, and known to the operator', async (t) => {
  const site = await startSite(t);
  const broken = await fetch(`${site.url}/.latchkey/api/broken`);
  assert.equal(broken.status, 500);
  assert.equal(broken.headers.get('Content-Type'), 'application/problem+json');
  const problem = (await broken.json()) as Record<string, unknown>;
  assert.equal(problem['requestId'], 'r1');
  assert.doesNotMatch(JSON.stringify(problem), /secret path/);
  assert.match(String(site.faults[0]), /secret path/);
});

test('while the store cannot be asked nobody is anybody: 503, never the sign-in page', async (t) => {
  const recognise = () => Promise.reject(new Fault('store_unavailable', 'locked'));
  const site = await startSite(t, { signIn: { recognise } });
  const answer = await fetch(`${site.url}/.latchkey/`, { headers: session });
  assert.equal(answer.status, 503);
  assert.equal(answer.headers.get('Retry-After'), '2');
  assert.match(answer.headers.get('Content-Security-Policy') ?? '', /default-src 'none'/);
});

test('the language is the browser’s first wish that we have', async (t) => {
  const { url } = await startSite(t);
  for (const [wish, language] of [
    ['de-AT,en;q=0.5', 'de'],
    ['fr,de;q=0.3,en;q=0.4', 'en'],
    ['fr', 'en'],
    ['de;q=0', 'en'],
  ] as const) {
    const page = await fetch(`${url}/.latchkey/`, { headers: { 'Accept-Language': wish } });
    assert.match(await page.text(), new RegExp(` ${language}$`), wish);
  }
});

test('the language asked for in an address stays, whatever the browser wishes', async (t) => {
  const { url } = await startSite(t);
  const wish = { 'Accept-Language': 'en' };
  const asked = await fetch(`${url}/.latchkey/?lang=de`, { headers: wish });
  assert.match(await asked.text(), / de$/);
  const cookie = asked.headers.getSetCookie().find((line) => line.includes('language=de'));
  const later = await fetch(`${url}/.latchkey/`, {
    headers: { ...wish, Cookie: cookie?.split(';')[0] ?? '' },
  });
  assert.match(await later.text(), / de$/);
  const unknown = await fetch(`${url}/.latchkey/?lang=xx`, { headers: wish });
  assert.match(await unknown.text(), / en$/);
});

/** The first cookie that a page sets for a browser that knows us by this host. */
/** With a Cookie field that `fetch` would not send. */
function rawGet(url: string, cookie: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { headers: { Cookie: cookie } }, (res) => {
      res.setEncoding('utf8');
      let body = '';
      res.on('data', (chunk: string) => (body += chunk));
      res.on('end', () => resolve(body));
    })
      .on('error', reject)
      .end();
  });
}

function fetchAs(url: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request(`${url}/.latchkey/`, { headers: { Host: host } }, (res) => {
      res.resume();
      resolve(res.headers['set-cookie']?.[0] ?? '');
    })
      .on('error', reject)
      .end();
  });
}
