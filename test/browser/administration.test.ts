import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type Chromium, startChromium, type Visitor } from '../support/browser.ts';
import { headed, signIn } from '../support/browser-steps.ts';
import { personPassword, type PortalWorld, startPortal } from '../support/portal.ts';
import { replying, type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';

describe('administration in a browser', requireProgram('chromium'), () => {
  let world: PortalWorld;
  let backend: RecordingBackend;
  let chromium: Chromium;
  const visitors: Visitor[] = [];
  let url = '';
  let page: Page;
  let carol: Page;
  let token = '';

  before(async () => {
    backend = await startRecordingBackend();
    backend.answerWith(replying(200, 'a file'));
    const route = { name: 'files', match: { path: '/dav/' }, backend: backend.url };
    [world, chromium] = await Promise.all([startPortal({ routes: [route] }), startChromium()]);
    ({ url } = world.gateway);
    await world.person('alice', personPassword, { admin: true });
    await world.person('bob');
    page = (await visit('alice')).page;
    const second = await chromium.visit({ url });
    visitors.push(second);
    carol = second.page;
  });
  after(async () => {
    for (const visitor of visitors) await visitor.leave();
    await chromium?.stop();
    await world?.stop();
    await backend?.close();
  });

  async function visit(name: string): Promise<Visitor> {
    const visitor = await chromium.visit({ url });
    visitors.push(visitor);
    await visitor.go('/.latchkey/');
    await signIn(visitor, name, personPassword);
    return visitor;
  }

  /** The status of a request with carol's token. */
  async function used(): Promise<number> {
    const answer = await fetch(`${url}/dav/file`, { headers: { Authorization: `Bearer ${token}` } });
    await answer.arrayBuffer();
    return answer.status;
  }

  const tokensOf = (who: Page): Promise<readonly string[]> => who.locator('a.name').allInnerTexts();

  test('a new user gets a link, chooses a password with it and is in; the link is used up', async () => {
    await page.getByRole('link', { name: 'Users', exact: true }).click();
    await page.getByRole('link', { name: 'New user' }).click();
    await page.locator('#name').fill('bob');
    await page.getByRole('button', { name: 'Create user' }).click();
    assert.match(await page.locator('#name-error').innerText(), /already a user/);
    await page.locator('#name').fill('carol');
    await page.locator('#displayName').fill('Carol C.');
    await page.getByRole('button', { name: 'Create user' }).click();
    const link = await page.locator('#link').inputValue();
    assert.ok(link.startsWith(`${url}/.latchkey/password/`));
    await carol.goto(link);
    await carol.locator('#next').fill('a password of mine');
    await carol.locator('#again').fill('another password');
    await carol.getByRole('button', { name: 'Save and sign in' }).click();
    assert.match(await carol.locator('#again-error').innerText(), /differ/);
    await carol.locator('#next').fill('a password of mine');
    await carol.locator('#again').fill('a password of mine');
    await carol.getByRole('button', { name: 'Save and sign in' }).click();
    await headed(carol, 'My tokens');
    await page.goto(link);
    await headed(page, 'This link no longer works');
  });

  test('the first change after coming in by a link asks for the password, and then goes on', async () => {
    await carol.getByRole('link', { name: 'Create your first token' }).click();
    await carol.locator('#name').fill('Tablet');
    await carol.getByRole('button', { name: 'Create token' }).last().click();
    await headed(carol, 'Is it you?');
    await carol.locator('#confirm_password').fill('wrong password');
    await carol.keyboard.press('Enter');
    assert.match(await carol.locator('#confirm_password-error').innerText(), /not your password/);
    await carol.locator('#confirm_password').fill('a password of mine');
    await carol.keyboard.press('Enter');
    await carol.waitForSelector('#token');
    await headed(carol, '“Tablet” is ready');
    token = await carol.locator('#token').inputValue();
    assert.equal(await used(), 200);
  });

  test('an admin finds the user, sees its tokens and makes one for it', async () => {
    await page.goto(`${url}/.latchkey/admin/users?q=CAROL`);
    await page.getByRole('link', { name: 'Carol C.' }).click();
    await headed(page, 'Carol C.');
    assert.deepEqual(await tokensOf(page), ['Tablet']);
    await page.getByRole('link', { name: 'New token for this user' }).click();
    await headed(page, 'New token for carol');
    await page.locator('#name').fill('From the admin');
    await page.getByRole('button', { name: 'Create token' }).last().click();
    await page.waitForSelector('#token');
    assert.equal(await page.locator('#user').inputValue(), 'carol');
    await page.goto(`${url}/.latchkey/admin/tokens`);
    assert.deepEqual((await tokensOf(page)).toSorted(), ['From the admin', 'Tablet']);
  });

  test('a disabled user is out at once: browser and token', async () => {
    await page.goto(`${url}/.latchkey/admin/users?q=carol`);
    await page.getByRole('link', { name: 'Carol C.' }).click();
    await page.getByRole('link', { name: 'Disable user' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Disable user' }).click();
    await page.getByText('The user is shut out').waitFor();
    assert.equal(await used(), 401);
    await carol.goto(`${url}/.latchkey/`);
    await headed(carol, 'Sign in');
    await page.getByRole('button', { name: 'Enable user' }).click();
    await page.getByText('The user may come in again.').waitFor();
    assert.equal(await used(), 200);
  });

  test('the policy shapes the form for a token', async () => {
    await page.goto(`${url}/.latchkey/admin/policy`);
    await page.locator('#days').fill('45');
    await page.locator('#scopes').fill('path:/dav/{user}/:rw');
    await page.getByRole('button', { name: 'Save policy' }).click();
    await page.getByText('The policy is saved.').waitFor();
    await page.goto(`${url}/.latchkey/tokens/new`);
    const form = await page.locator('form.card').innerText();
    assert.ok(form.includes('Longest allowed: 45 days') && form.includes('30 days'));
    assert.doesNotMatch(form, /90 days|1 year|Never/);
    await page.locator('#name').fill('Within bounds');
    await page.getByText('Only certain folders').click();
    await page.locator('#folderPath').fill('/dav/Music/');
    await page.getByRole('button', { name: 'Create token' }).last().click();
    assert.match(await page.locator('#access-folders-error').innerText(), /not allowed here/);
    await page.getByText('Everything that is allowed for tokens').click();
    await page.getByRole('button', { name: 'Create token' }).last().click();
    await page.waitForSelector('#token');
    assert.equal(await page.locator('#server-0').inputValue(), `${url}/dav/alice/`);
  });

  test('where tokens need an end and begin switched off, the form says so and both hold', async () => {
    await page.goto(`${url}/.latchkey/admin/policy`);
    await page.locator('#days').fill('');
    await page.locator('#scopes').fill('');
    await page.getByLabel('Every token needs an end').check();
    await page.getByLabel('New tokens are on at once').uncheck();
    await page.getByRole('button', { name: 'Save policy' }).click();
    await page.getByText('The policy is saved.').waitFor();
    await page.goto(`${url}/.latchkey/tokens/new`);
    await page.getByText('New tokens are off until you switch them on.').waitFor();
    assert.equal(await page.getByLabel('Never').count(), 0);
    await page.locator('#name').fill('Off at first');
    await page.getByRole('button', { name: 'Create token' }).last().click();
    await page.getByText('This token is still off.').waitFor();
    token = await page.locator('#token').inputValue();
    assert.equal(await used(), 401);
    await page.getByRole('link', { name: 'See whether it has been used' }).click();
    await page.getByRole('button', { name: 'Switch on' }).click();
    await page.getByText('The token is on.').waitFor();
    assert.equal(await used(), 200);
  });

  test('the audit log is filtered and taken away as CSV', async () => {
    await page.goto(`${url}/.latchkey/admin/audit`);
    await page.locator('#action').fill('token.');
    await page.locator('#user').fill('carol');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.waitForURL(/action=token/);
    const rows = await page.locator('tbody tr').allInnerTexts();
    assert.equal(rows.length, 2);
    assert.ok(rows.every((row) => row.includes('Token created') && row.includes('carol')));
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download as CSV' }).click(),
    ]);
    assert.equal(download.suggestedFilename(), 'latchkey-audit.csv');
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const lines = Buffer.concat(chunks).toString().trimEnd().split('\r\n');
    assert.equal(lines[0], 'at,action,actor,userId,userName,tokenId,details');
    assert.equal(lines.length, 3);
  });

  test('who manages nobody finds none of these pages', async () => {
    const bob = (await visit('bob')).page;
    assert.equal(await bob.getByRole('link', { name: 'Audit log' }).count(), 0);
    for (const path of ['users', 'users/new', 'tokens', 'policy', 'audit', 'audit/export.csv']) {
      const answer = await bob.goto(`${url}/.latchkey/admin/${path}`);
      assert.equal(answer?.status(), 403, path);
    }
  });
});
