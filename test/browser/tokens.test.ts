import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Apache, startApache } from '../support/apache.ts';
import { type Chromium, plainHost, startChromium, type Visitor } from '../support/browser.ts';
import {
  ask,
  makeToken,
  orderToken,
  readMade,
  refused,
  signIn,
  useWithCurl,
} from '../support/browser-steps.ts';
import { endAll } from '../support/end-all.ts';
import { personPassword, type PortalWorld, startPortal } from '../support/portal.ts';
import { requireProgram } from '../support/requirement.ts';

describe('tokens in a browser', requireProgram('chromium', 'curl', 'apache2'), () => {
  let chromium: Chromium;
  let world: PortalWorld;
  let apache: Apache;
  let visitor: Visitor;
  before(async () => {
    [chromium, apache] = await Promise.all([startChromium(), startApache({ requireRemoteUser: true })]);
    await mkdir(join(apache.folder, 'Photos', 'Summer & sea'), { recursive: true });
    await mkdir(join(apache.folder, 'Papers'));
    world = await startPortal({
      backend: apache.url,
      route: { match: { path: '/dav/' }, host: 'backend' },
    });
    await world.person('alice');
    visitor = await chromium.visit({ url: world.gateway.url });
    await visitor.go('/.latchkey/');
    await signIn(visitor, 'alice', personPassword);
  });
  after(() =>
    endAll(
      () => visitor?.leave(),
      () => chromium?.stop(),
      () => world?.stop(),
      () => apache?.stop(),
    ),
  );

  const ordered = async (name: string, settings: Readonly<Record<string, unknown>> = {}) => {
    const made = await orderToken(visitor, name, settings);
    return { ...made, server: `${made.server}dav/` };
  };

  test('several are revoked at once, the others go on', async () => {
    const { page } = visitor;
    const [old, older, kept] = [
      await ordered('old phone'),
      await ordered('older phone'),
      await ordered('laptop'),
    ];
    await visitor.go('/.latchkey/');
    await page.getByLabel('Select old phone', { exact: true }).check();
    await page.getByLabel('Select older phone').check();
    await page.getByRole('button', { name: 'Revoke selected' }).click();
    const question = page.getByRole('main');
    await question.getByRole('heading', { name: 'Revoke these 2 tokens?' }).waitFor();
    assert.match(await question.innerText(), /older phone[^]*old phone/);
    await page.getByRole('button', { name: 'Revoke 2 tokens' }).click();
    await page.getByText('The tokens are revoked.').waitFor();
    await refused(old);
    await refused(older);
    assert.equal(await useWithCurl(kept), 207);
    assert.equal(await page.getByRole('link', { name: 'old phone', exact: true }).count(), 0);
  });

  test('a token’s name and access are edited, and the new access counts', async () => {
    const { page } = visitor;
    const made = await ordered('scanner');
    assert.equal(await useWithCurl(made, 'PUT', 'scan.txt'), 201);
    await visitor.go(`/.latchkey/tokens/${made.id}`);
    await page.getByLabel('Name', { exact: true }).fill('scanner in the hall');
    await page.getByLabel('The same, but read only').check();
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByRole('heading', { name: 'scanner in the hall' }).waitFor();
    assert.equal(await useWithCurl(made, 'PUT', 'scan.txt'), 403);
    assert.equal(await useWithCurl(made), 207);
  });

  test('a new value takes the old one’s place at once', async () => {
    const { page } = visitor;
    const made = await ordered('script');
    await visitor.go(`/.latchkey/tokens/${made.id}`);
    await page.getByRole('link', { name: 'New value' }).click();
    await page.getByRole('heading', { name: 'New value for “script”?' }).waitFor();
    await page.getByRole('button', { name: 'Make a new value' }).click();
    const renewed = await readMade(visitor, '“script” has a new value');
    assert.equal(renewed.id, made.id);
    assert.notEqual(renewed.value, made.value);
    await refused(made);
    assert.equal(await useWithCurl(renewed), 207);
  });

  test('settings are copied to a new token with a value of its own', async () => {
    const { page } = visitor;
    const made = await ordered('tablet', { scopes: ['path:/dav/Photos/:r'] });
    await visitor.go(`/.latchkey/tokens/${made.id}`);
    await page.getByRole('link', { name: 'Copy settings to a new token' }).click();
    await page.getByRole('heading', { name: 'New token like “tablet”' }).waitFor();
    await page.getByLabel('Name', { exact: true }).fill('second tablet');
    await page.getByRole('button', { name: 'Create token' }).click();
    const copy = await readMade(visitor, '“second tablet” is ready');
    assert.match(copy.server, /\/dav\/Photos\/$/);
    assert.notEqual(copy.value, made.value);
    assert.equal(await useWithCurl(copy), 207);
    assert.equal(await useWithCurl(copy, 'PUT', 'x'), 403);
  });

  test('the switch in the list turns a token off and on again', async () => {
    const { page } = visitor;
    const made = await ordered('watch');
    await visitor.go('/.latchkey/');
    const control = page.getByRole('switch', { name: 'watch is on' });
    await control.click();
    await page.getByText('The token is off.').waitFor();
    assert.equal(await control.getAttribute('aria-checked'), 'false');
    await refused(made);
    await control.click();
    await page.getByText('The token is on.').waitFor();
    assert.equal(await useWithCurl(made), 207);
  });

  test('a folder is found by looking through those of the server, and the token reaches nothing else', async () => {
    const { page } = visitor;
    await visitor.go('/.latchkey/tokens/new');
    await page.getByLabel('Name', { exact: true }).fill('picture frame');
    await page.getByLabel('Only certain folders').check();
    await page.getByRole('button', { name: 'Browse folders' }).click();
    await page.getByRole('button', { name: 'Open Papers' }).waitFor();
    await page.getByRole('button', { name: 'Open Photos' }).click();
    await page.getByRole('button', { name: 'Open Summer & sea' }).click();
    await page.getByText('There is no folder in here.').waitFor();
    await page.getByRole('button', { name: 'One level up' }).click();
    await page.getByRole('button', { name: 'Choose this folder, read only' }).click();
    assert.equal(await page.getByLabel('Name', { exact: true }).inputValue(), 'picture frame');
    await page.getByRole('button', { name: 'Create token' }).click();
    const made = await readMade(visitor, '“picture frame” is ready');
    assert.equal(made.server, `${world.gateway.url}/dav/Photos/`);
    assert.equal(await useWithCurl(made), 207);
    assert.equal(await useWithCurl(made, 'PUT', 'new.txt'), 403);
    assert.equal(await useWithCurl(made, 'PROPFIND', '../Papers/'), 403);
  });

  test('a form with mistakes says so first, and keeps what was typed', async () => {
    const { page } = visitor;
    await visitor.go('/.latchkey/tokens/new');
    await page.getByLabel('On a date').check();
    await page.getByLabel('Last day').fill('2020-01-01');
    await page.getByRole('button', { name: 'Create token' }).click();
    const summary = page.getByRole('alert');
    await summary.getByText('Give the token a name.').waitFor();
    assert.match(await page.title(), /^Error: /);
    assert.equal(await page.getByLabel('Last day').inputValue(), '2020-01-01');
    await summary.getByRole('link', { name: 'Give the token a name.' }).click();
    assert.equal(await ask(visitor, 'document.activeElement.id'), 'name');
  });

  test('loading the panel again neither shows the value again nor makes another token', async () => {
    const { page } = visitor;
    const made = await makeToken(visitor, 'once');
    // The script of the page gives it the address of the token, which has to have happened.
    await page.waitForURL(/\/tokens\/[0-9a-f-]{36}/);
    await page.reload();
    await page.getByRole('heading', { name: 'once', exact: true }).waitFor();
    assert.equal((await page.content()).includes(made.value), false);
    await visitor.go('/.latchkey/?q=once');
    assert.equal(await page.getByRole('link', { name: 'once', exact: true }).count(), 1);
  });

  test('over plain HTTP, which has no clipboard, copying selects instead', async () => {
    const elsewhere = await chromium.visit({ url: `http://${plainHost}:${world.gateway.port}` });
    await elsewhere.go('/.latchkey/');
    await signIn(elsewhere, 'alice', personPassword);
    assert.equal(await ask(elsewhere, 'isSecureContext'), false);
    const made = await makeToken(elsewhere, 'plain');
    await elsewhere.page.getByRole('button', { name: 'Copy Token' }).click();
    await elsewhere.page.getByText('Token selected: press Ctrl+C').waitFor();
    assert.equal(await ask(elsewhere, 'getSelection().toString()'), made.value);
    await elsewhere.leave();
  });
});
