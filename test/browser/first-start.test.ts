import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Chromium, startChromium } from '../support/browser.ts';
import { ask, headed } from '../support/browser-steps.ts';
import { endAll } from '../support/end-all.ts';
import { type PortalWorld, startPortal } from '../support/portal.ts';
import { requireProgram } from '../support/requirement.ts';

describe('the first start', requireProgram('chromium'), () => {
  let world: PortalWorld;
  let chromium: Chromium;
  before(async () => {
    [world, chromium] = await Promise.all([startPortal(), startChromium()]);
  });
  after(() =>
    endAll(
      () => chromium?.stop(),
      () => world?.stop(),
    ),
  );

  test('tells a link by which somebody becomes the first admin, once', async () => {
    const link = /\/\.latchkey\/welcome\/[\w-]+/.exec(world.gateway.output())?.[0] ?? '';
    const visitor = await chromium.visit({ url: world.gateway.url });
    const { page } = visitor;
    await visitor.go(link);
    await headed(page, 'Welcome to Latchkey');
    await page.getByLabel('User name').fill('mira');
    await page.getByLabel('New password').fill('a password of mine');
    await page.getByLabel('The same again').fill('a password of mine');
    await page.getByRole('button', { name: 'Create administrator' }).click();
    await headed(page, 'My tokens');
    await page.getByRole('link', { name: 'Users', exact: true }).click();
    await page.getByRole('link', { name: 'mira' }).waitFor();
    await visitor.go(link);
    await headed(page, 'This link no longer works');
    await visitor.leave();
  });

  test('is watched like every visit here: what a page must not do is noticed', async () => {
    const visitor = await chromium.visit({ url: world.gateway.url });
    const { page } = visitor;
    await visitor.go('/.latchkey/');
    await Promise.all([
      page.waitForEvent('console'),
      page.waitForEvent('pageerror'),
      ask(visitor, "void document.body.append(Object.assign(new Image(), { src: 'http://192.0.2.1/' }))"),
      ask(visitor, "void setTimeout(() => { throw new Error('one of a script'); })"),
    ]);
    await assert.rejects(visitor.leave(), (error: Error) => {
      assert.match(error.message, /Content Security Policy/);
      assert.match(error.message, /one of a script/);
      return true;
    });
  });
});
