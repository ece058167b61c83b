import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type Chromium, startChromium, type Visitor } from '../support/browser.ts';
import { headed } from '../support/browser-steps.ts';
import { personPassword, type PortalWorld, startPortal } from '../support/portal.ts';
import { requireProgram } from '../support/requirement.ts';

describe('with the keyboard alone', requireProgram('chromium'), () => {
  let world: PortalWorld;
  let chromium: Chromium;
  let visitor: Visitor;
  let page: Page;

  before(async () => {
    [world, chromium] = await Promise.all([startPortal(), startChromium()]);
    await world.person('bob');
    visitor = await chromium.visit({ url: world.gateway.url });
    ({ page } = visitor);
  });
  after(async () => {
    await visitor?.leave();
    await chromium?.stop();
    await world?.stop();
  });

  /** Presses Tab until the focus is on what is called so, at most 40 times; the focus has to be seen all the way. */
  async function tabTo(name: string | RegExp): Promise<void> {
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press('Tab');
      const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
      assert.notEqual(
        outline,
        'none',
        await page.locator(':focus').evaluate('(element) => element.outerHTML'),
      );
      const called = await page.evaluate<string>(
        `((e) => e.getAttribute('aria-label') ?? e.labels?.[0]?.innerText ?? e.innerText)(document.activeElement)`,
      );
      const text = called.trim();
      if (typeof name === 'string' ? text === name || text.startsWith(`${name}\n`) : name.test(text)) return;
    }
    assert.fail(`Tab never reaches ${name}`);
  }

  test('a person signs in, makes a token and copies it', async () => {
    await page.goto(`${world.gateway.url}/.latchkey/`);
    await page.keyboard.type('bob');
    await tabTo('Password');
    await page.keyboard.type(personPassword);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${world.gateway.url}/.latchkey/`);
    await tabTo('Create your first token');
    await page.keyboard.press('Enter');
    await page.waitForURL(/new$/);
    await tabTo('Name');
    await page.keyboard.type('By keys');
    await tabTo('90 days');
    await page.keyboard.press('ArrowLeft');
    assert.ok(await page.locator('#expiry-30').isChecked());
    await tabTo('Create token');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#token');
    await tabTo('Copy Token');
    await page.keyboard.press('Enter');
    await page.locator('#token-result:not(:empty)').waitFor();
  });

  test('Enter in a field creates rather than looks for folders', async () => {
    await page.goto(`${world.gateway.url}/.latchkey/tokens/new`);
    await page.locator('#name').focus();
    await page.keyboard.type('By Enter');
    await page.keyboard.press('Enter');
    await page.waitForSelector('#token');
    await headed(page, '“By Enter” is ready');
  });

  test('the navigation can be skipped', async () => {
    await page.goto(`${world.gateway.url}/.latchkey/`);
    await tabTo('Skip to the content');
    await page.keyboard.press('Enter');
    await tabTo('New token');
  });

  test('the question begins at the harmless answer; Escape closes it, and the focus is back where it was', async () => {
    await tabTo('Revoke By keys');
    for (const key of ['Escape', 'Enter']) {
      await page.keyboard.press('Enter');
      await page.waitForSelector('dialog[open]');
      assert.equal(await page.locator(':focus').innerText(), 'Cancel');
      await page.keyboard.press(key);
      await page.waitForSelector('dialog', { state: 'detached' });
      assert.equal(await page.locator(':focus').getAttribute('aria-label'), 'Revoke By keys');
    }
  });

  test('a token is switched off with the space bar', async () => {
    await page.keyboard.press('Shift+Tab');
    assert.equal(await page.locator(':focus').getAttribute('role'), 'switch');
    await page.keyboard.press('Space');
    await page.getByText('The token is off.').waitFor();
  });

  test('a token is revoked through the dialog, from which the focus does not escape', async () => {
    await tabTo('Revoke By keys');
    await page.keyboard.press('Enter');
    await page.waitForSelector('dialog[open]');
    for (let presses = 0; presses < 6; presses++) {
      await page.keyboard.press('Tab');
      const where = await page.evaluate<boolean>(
        `document.activeElement === document.body || document.activeElement.closest('dialog') !== null`,
      );
      assert.ok(where);
    }
    await page.locator('dialog').getByRole('link', { name: 'Cancel' }).focus();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByText('The token is revoked.').waitFor();
  });
});
