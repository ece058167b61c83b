import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
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

  test('a user disabled at the command line is out at the next request', async () => {
    await world.person('bob');
    const browser = world.browser();
    await browser.signIn('bob', 'correct horse battery');
    assert.equal((await world.gateway.command(['user', 'disable', 'bob'])).code, 0);
    assert.equal((await browser.fetch('/.latchkey/')).status, 303);
  });
});
