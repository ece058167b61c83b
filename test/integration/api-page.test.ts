import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import { type Chromium, startChromium } from '../support/browser.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { requireProgram } from '../support/requirement.ts';

describe('the API’s page in a browser', requireProgram('chromium'), () => {
  let gateway: Gateway;
  let chromium: Chromium;
  before(async () => {
    gateway = await startGateway({ backend: 'http://127.0.0.1:9' });
    chromium = await startChromium();
  });
  after(async () => {
    await chromium.stop();
    await gateway.stop();
  });

  test('shows without scripts, under its policy, what can be asked', async () => {
    const visitor = await chromium.visit({ url: gateway.url, scripts: false });
    await visitor.go('/.latchkey/api/docs');
    await visitor.page.getByRole('link', { name: 'Make a token', exact: true }).click();
    assert.ok(await visitor.page.getByRole('heading', { name: 'Make a token', exact: true }).isVisible());
    await visitor.leave();
  });

  for (const [name, look] of [
    ['light, at a desk', {}],
    ['dark, on a phone', { dark: true, phone: true }],
  ] as const) {
    test(`is clean to axe and no wider than its window: ${name}`, async () => {
      const visitor = await chromium.visit({ url: gateway.url, withoutPolicy: true, ...look });
      await visitor.go('/.latchkey/api/docs');
      await visitor.page.addScriptTag({ content: axe.source });
      const found = await visitor.page.evaluate<readonly string[]>(
        'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`))',
      );
      assert.deepEqual(found, []);
      const overhang = await visitor.page.evaluate<number>(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      assert.equal(overhang, 0);
      await visitor.leave();
    });
  }
});
