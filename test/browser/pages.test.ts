import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { createPortal, type PortalDeps } from '../../src/web/portal/portal.ts';
import { type Chromium, startChromium, type Visitor } from '../support/browser.ts';
import { routesWithoutPage, samplePages } from '../support/browser-pages.ts';
import {
  sampleHost,
  type SamplePerson,
  type SampleSite,
  startSampleSite,
} from '../support/browser-sample.ts';
import { ask } from '../support/browser-steps.ts';
import { endAll } from '../support/end-all.ts';
import { personPassword } from '../support/portal.ts';
import { requireProgram } from '../support/requirement.ts';

const url = `https://${sampleHost}`;
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const phone = { width: 360, height: 740 };
const desktop = { width: 1280, height: 800 };
const pictureFolder = join(import.meta.dirname, '../../docs/screenshots');

/** With LATCHKEY_SCREENSHOTS=1 the pictures of the documentation are taken anew, and nothing else. */
const takesPictures = process.env['LATCHKEY_SCREENSHOTS'] === '1';

interface Picture {
  readonly file: string;
  /** Also dark and on a phone. */
  readonly everyWay?: boolean;
  /** What a phone is scrolled to. Default: the top. */
  readonly phoneAt?: string;
}

/** By name of the page. */
const pictures: Readonly<Record<string, Picture>> = {
  '/sign-in': { file: 'sign-in' },
  '/': { file: 'my-tokens', everyWay: true, phoneAt: '.table' },
  '/tokens/new': { file: 'new-token' },
  folders: { file: 'choose-folder' },
  once: { file: 'token-created', everyWay: true },
  '/tokens/:id': { file: 'token' },
  'revoke dialog': { file: 'revoke' },
  '/devices': { file: 'devices' },
  '/admin/users': { file: 'users' },
  '/admin/users/:id': { file: 'user' },
  '/admin/tokens': { file: 'all-tokens' },
  '/admin/policy': { file: 'policy' },
  '/admin/audit': { file: 'audit-log' },
};

describe('every page', requireProgram('chromium', 'apache2', 'openssl'), () => {
  let site: SampleSite;
  let chromium: Chromium;
  const visitors = new Map<string, Visitor>();
  before(async () => {
    site = await startSampleSite();
    chromium = await startChromium({ [sampleHost]: site.tlsPort });
  });
  after(() =>
    endAll(
      ...[...visitors.values()].map((visitor) => () => visitor.leave()),
      () => chromium?.stop(),
      () => site?.stop(),
    ),
  );

  const visitorAs = async (person: SamplePerson | null, language: 'en' | 'de'): Promise<Visitor> => {
    const known = visitors.get(`${person} ${language}`);
    if (known !== undefined) return known;
    const visitor = await chromium.visit({ url, language, withoutPolicy: true });
    visitors.set(`${person} ${language}`, visitor);
    if (person !== null) {
      await visitor.go('/.latchkey/sign-in');
      await visitor.page.locator('#username').fill(person);
      await visitor.page.locator('#password').fill(personPassword);
      await visitor.page.locator('form button.primary').click();
      await visitor.page.locator('nav').first().waitFor();
    }
    return visitor;
  };

  test('is in the table of those that are looked at here', () => {
    const { router } = createPortal({} as PortalDeps);
    const routes = router.routes.filter(({ method }) => method === 'GET').map(({ path }) => path);
    const known = new Set([...Object.keys(routesWithoutPage), ...samplePages.map(({ route }) => route)]);
    assert.deepEqual(
      routes.filter((route) => !known.has(route)),
      [],
    );
  });

  for (const { name, as, open } of samplePages) {
    test(`is for everybody, on every screen, in both languages: ${name}`, async () => {
      const visitor = await visitorAs(as, 'en');
      await open(visitor, site);
      if (takesPictures) return takePicture(visitor, name);
      await isForEverybody(visitor);
      const german = await visitorAs(as, 'de');
      await open(german, site);
      assert.equal(await german.page.locator('html').getAttribute('lang'), 'de');
      assert.deepEqual(await violations(german, { rules: { 'color-contrast': { enabled: false } } }), []);
      await fitsOnPhone(german);
    });
  }

  test('has links that lead somewhere', async () => {
    const visitor = await visitorAs('mira', 'en');
    const { page } = visitor;
    const found = new Set<string>();
    for (const path of [
      '/',
      '/devices',
      '/account',
      '/admin/users',
      '/admin/tokens',
      '/admin/policy',
      '/admin/audit',
    ]) {
      await visitor.go(`/.latchkey${path}`);
      const links = await ask<readonly string[]>(
        visitor,
        '[...document.links].map(({ pathname }) => pathname)',
      );
      for (const link of links) found.add(link);
    }
    assert.ok(found.size > 20, `${found.size} links`);
    const statuses = 'Promise.all(PATHS.map(async (path) => [path, (await fetch(path)).status]))';
    const answers = await ask<readonly (readonly [string, number])[]>(
      visitor,
      statuses.replace('PATHS', JSON.stringify([...found])),
    );
    assert.deepEqual(
      answers.filter(([, status]) => status !== 200),
      [],
      page.url(),
    );
  });
});

async function isForEverybody(visitor: Visitor): Promise<void> {
  assert.deepEqual(await violations(visitor, {}), [], 'light');
  await visitor.page.emulateMedia({ colorScheme: 'dark' });
  assert.deepEqual(await violations(visitor, { runOnly: ['color-contrast'] }), [], 'dark');
  await visitor.page.emulateMedia({ colorScheme: 'light' });
  await fitsOnPhone(visitor);
  await visitor.page.setViewportSize(phone);
  assert.deepEqual(await violations(visitor, { runOnly: ['target-size'] }), [], 'on a phone');
  await visitor.page.setViewportSize(desktop);
}

async function fitsOnPhone(visitor: Visitor): Promise<void> {
  await visitor.page.setViewportSize(phone);
  assert.deepEqual(await ask(visitor, wideElements), [], 'as wide as a phone');
  await visitor.page.setViewportSize(desktop);
}

/** Takes the picture of a page that has one in the documentation. */
async function takePicture({ page }: Visitor, name: string): Promise<void> {
  const picture = pictures[name];
  if (picture === undefined) return;
  const take = async (suffix: string): Promise<void> => {
    await page.screenshot({ path: join(pictureFolder, `${picture.file}${suffix}.png`) });
  };
  await take('');
  if (picture.everyWay !== true) return;
  await page.emulateMedia({ colorScheme: 'dark' });
  await take('-dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(phone);
  if (picture.phoneAt !== undefined) {
    await page.evaluate(`document.querySelector('${picture.phoneAt}').scrollIntoView()`);
  }
  await take('-phone');
  await page.setViewportSize(desktop);
}

/** What sticks out at the right; nothing where the page cannot be scrolled sideways. */
const wideElements = `(() => {
  const root = document.scrollingElement;
  if (root.scrollWidth <= innerWidth) return [];
  return [...document.querySelectorAll('body *')]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5)
    .map((element) => element.outerHTML.slice(0, 120));
})()`;

/** What axe finds against WCAG 2.2 AA and its own good practice. */
async function violations(visitor: Visitor, options: object): Promise<readonly string[]> {
  if (!(await ask<boolean>(visitor, "'axe' in window"))) await visitor.page.evaluate(axeSource);
  const lean = { resultTypes: ['violations'], selectors: false, preload: false };
  return ask(
    visitor,
    `axe.run(document, ${JSON.stringify({ ...lean, ...options })}).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) =>
        nodes.map(({ html, any }) => [id, html.slice(0, 160), ...any.map((check) => check.message)].join(' · '))))`,
  );
}
