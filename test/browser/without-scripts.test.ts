import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Chromium, startChromium, type Visitor } from '../support/browser.ts';
import { answerRevoke, makeToken, readMade, refused, signIn, useWithCurl } from '../support/browser-steps.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { personPassword, type PortalWorld, startPortal } from '../support/portal.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';

describe('with JavaScript off', requireProgram('chromium', 'curl'), () => {
  let chromium: Chromium;
  let world: PortalWorld;
  let backend: RecordingBackend;
  let visitor: Visitor;
  before(async () => {
    [chromium, backend] = await Promise.all([startChromium(), startRecordingBackend()]);
    backend.answerWith(replying(200, 'a file'));
    world = await startPortal({ backend: backend.url });
    await world.person('alice');
    visitor = await chromium.visit({ url: world.gateway.url, scripts: false });
    await visitor.go('/.latchkey/');
    await signIn(visitor, 'alice', personPassword);
  });
  after(() =>
    endAll(
      () => visitor?.leave(),
      () => chromium?.stop(),
      () => world?.stop(),
      () => backend?.close(),
    ),
  );

  test('a token is made, used, seen to be used, and taken back', async () => {
    const { page } = visitor;
    const made = await makeToken(visitor, 'laptop');
    assert.equal(await page.getByRole('button', { name: 'Copy Token' }).isVisible(), false);
    assert.equal(await useWithCurl(made), 200);
    await page.getByRole('link', { name: 'See whether it has been used' }).click();
    await eventually(
      'the page to say who used it',
      async () => {
        await page.reload();
        return page.getByText('curl from 127.0.0.1').isVisible();
      },
      { withinMs: 20_000, everyMs: 200 },
    );
    await page.getByRole('link', { name: 'Revoke', exact: true }).click();
    await answerRevoke(visitor, 'laptop');
    await refused(made);
  });

  test('several are revoked at once', async () => {
    const { page } = visitor;
    const made = [await makeToken(visitor, 'one'), await makeToken(visitor, 'two')];
    await visitor.go('/.latchkey/');
    for (const name of ['one', 'two']) await page.getByLabel(`Select ${name}`).check();
    await page.getByRole('button', { name: 'Revoke selected' }).click();
    await page.getByRole('button', { name: 'Revoke 2 tokens' }).click();
    await page.getByText('The tokens are revoked.').waitFor();
    for (const token of made) await refused(token);
  });

  test('a token is switched, edited, renewed and copied by forms alone', async () => {
    const { page } = visitor;
    const made = await makeToken(visitor, 'radio');
    await visitor.go(`/.latchkey/tokens/${made.id}`);
    await page.getByRole('button', { name: 'Switch off' }).click();
    await page.getByText('The token is off.').waitFor();
    await refused(made);
    await page.getByRole('button', { name: 'Switch on' }).click();
    await page.getByText('The token is on.').waitFor();
    await page.getByLabel('Only certain folders').check();
    await page.getByLabel('Or type a folder').fill('/music/');
    await page.getByRole('button', { name: 'Add folder' }).click();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('Saved.').waitFor();
    assert.equal(await useWithCurl(made, 'GET', 'papers/'), 403);
    await page.getByRole('link', { name: 'New value' }).click();
    await page.getByRole('button', { name: 'Make a new value' }).click();
    const renewed = await readMade(visitor, '“radio” has a new value');
    await refused(made);
    assert.equal(await useWithCurl(renewed), 200);
    await visitor.go(`/.latchkey/tokens/new?from=${made.id}`);
    await page.getByLabel('Name', { exact: true }).fill('second radio');
    await page.getByRole('button', { name: 'Create token' }).click();
    assert.equal(await useWithCurl(await readMade(visitor, '“second radio” is ready')), 200);
  });

  test('everybody can leave', async () => {
    const { page } = visitor;
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('You are signed out.').waitFor();
    await visitor.go('/.latchkey/');
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  });
});
