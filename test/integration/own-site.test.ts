import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startGateway } from '../support/gateway.ts';
import { type PortalWorld, startPortal } from '../support/portal.ts';
import { replying, type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';

describe('the gateway’s own site', () => {
  let world: PortalWorld;
  let backend: RecordingBackend;
  before(async () => {
    backend = await startRecordingBackend();
    backend.answerWith(replying(200, 'a file'));
    world = await startPortal({ backend: backend.url });
    await world.person('alice');
  });
  after(async () => {
    await world.stop();
    await backend.close();
  });

  test('lets a person in by password, and out again', async () => {
    const browser = world.browser();
    await browser.signIn('alice', 'correct horse battery');
    assert.equal((await browser.fetch('/.latchkey/')).status, 200);
    const held = browser.cookie();
    await browser.post('/.latchkey/sign-out', {});
    assert.equal((await browser.fetch('/.latchkey/')).status, 303);
    const replayed = await browser.fetch('/.latchkey/', { headers: { Cookie: held } });
    assert.equal(replayed.status, 303, 'the session is over, whoever kept its cookie');
  });

  test('serves machines the same functions by the API', async () => {
    const browser = world.browser();
    await browser.signIn('alice', 'correct horse battery');
    const made = await browser.fetch('/.latchkey/api/v1/tokens', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': await browser.csrf() },
      body: JSON.stringify({ name: 'phone', scopes: ['*'] }),
    });
    assert.equal(made.status, 201, await made.clone().text());
    const { value } = (await made.json()) as { readonly value: string };
    const used = await fetch(`${world.gateway.url}/file`, {
      headers: { Authorization: `Basic ${btoa(`alice:${value}`)}` },
    });
    assert.equal(await used.text(), 'a file');
  });

  test('a browser that is signed in is nobody on the way to a backend', async () => {
    const browser = world.browser();
    await browser.signIn('alice', 'correct horse battery');
    backend.forget();
    assert.equal((await browser.fetch('/file')).status, 401);
    assert.equal(backend.requests.length, 0);
  });

  test('a file of a backend never acts in the origin of the pages, whoever asks for it and however', async () => {
    const authorization = `Basic ${btoa(`alice:${await world.gateway.token()}`)}`;
    for (const [method, more] of [
      ['GET', {}],
      ['POST', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' }],
    ] as const) {
      const headers = { Authorization: authorization, ...more };
      const { status, headers: sent } = await fetch(`${world.gateway.url}/holiday.html`, { method, headers });
      assert.equal(status, 200);
      assert.match(sent.get('Content-Security-Policy') ?? '', /^sandbox (?!.*allow-same-origin)/, method);
    }
  });

  test('beside the host of `portal.url`, where no pages are, a backend keeps its origin', async () => {
    const portal = { url: 'https://tokens.example' };
    const gateway = await startGateway({ backend: backend.url, config: { portal } });
    try {
      await gateway.user('alice');
      const Authorization = `Basic ${btoa(`alice:${await gateway.token()}`)}`;
      const { headers } = await fetch(`${gateway.url}/file`, { headers: { Authorization } });
      assert.equal(headers.get('Content-Security-Policy'), null);
    } finally {
      await gateway.stop();
    }
  });

  test('a user disabled at the command line is out at the next request', async () => {
    await world.person('bob');
    const browser = world.browser();
    await browser.signIn('bob', 'correct horse battery');
    assert.equal((await world.gateway.command(['user', 'disable', 'bob'])).code, 0);
    assert.equal((await browser.fetch('/.latchkey/')).status, 303);
  });
});
