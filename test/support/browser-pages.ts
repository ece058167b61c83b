import type { Visitor } from './browser.ts';
import type { SamplePerson, SampleSite } from './browser-sample.ts';

/** One page as people come to see it. */
export interface SamplePage {
  /** The route that shows it, as the router knows it below `/.latchkey`; null: the answer to a form. */
  readonly route: string | null;
  readonly name: string;
  /** Null: somebody not signed in. */
  readonly as: SamplePerson | null;
  /** Gets there, in whatever language. */
  readonly open: (visitor: Visitor, site: SampleSite) => Promise<void>;
}

/** Routes that show nobody a page: files, data for scripts, ways back from providers, and why. */
export const routesWithoutPage: Readonly<Record<string, string>> = {
  '/static/:hash/:name': 'a file',
  '/tokens/:id/first-use': 'data for a script',
  '/admin/audit/export.csv': 'a download',
  '/admin/audit/export.ndjson': 'a download',
  '/sign-in/:source/callback': 'leads on, or shows the sign-in page',
  '/welcome/:secret': 'there is an admin already: shown as the link that no longer works',
  '/confirmed': 'leads on where nothing is kept; its page is reached by way of a provider',
};

type Way = (site: SampleSite) => string;

const at = (route: string, as: SamplePerson | null, way: string | Way, name = route): SamplePage => ({
  ...{ route, name, as },
  open: (visitor, site) => visitor.go(`/.latchkey${typeof way === 'string' ? way : way(site)}`),
});

const answer = (name: string, as: SamplePerson | null, open: SamplePage['open']): SamplePage => ({
  ...{ route: null, name, as },
  open,
});

async function newToken(visitor: Visitor, name: string): Promise<void> {
  await visitor.go('/.latchkey/tokens/new');
  await visitor.page.locator('#name').fill(name);
}

async function press({ page }: Visitor, selector: string): Promise<void> {
  await page.locator(selector).first().click();
  await page.waitForLoadState('domcontentloaded');
}

const openGuides = `for (const guide of document.querySelectorAll('main details')) {
  guide.removeAttribute('name');
  guide.open = true;
}`;

/** Every page there is, and what forms answer with. */
export const samplePages: readonly SamplePage[] = [
  at('/sign-in', null, '/sign-in'),
  answer('sign-in refused', null, async (visitor) => {
    await visitor.go('/.latchkey/sign-in');
    await visitor.page.locator('#username').fill('nobody');
    await visitor.page.locator('#password').fill('a guess');
    await press(visitor, 'form button.primary');
  }),
  at('/password/:secret', null, '/password/no-such-link', 'a link that no longer works'),
  answer('choosing a password', null, async (visitor, site) => visitor.go(await site.passwordLink('amira'))),
  at('/', 'lena', '/'),
  at('/', 'lena', '/?state=revoked', 'revoked tokens'),
  at('/', 'lena', '/?q=no+such+token', 'no token found'),
  answer('no tokens at all', 'mira', (visitor) => visitor.go('/.latchkey/')),
  at('/tokens/new', 'lena', '/tokens/new'),
  answer('new token with mistakes', 'lena', async (visitor) => {
    await visitor.go('/.latchkey/tokens/new');
    await visitor.page.locator('#expiry-date').check();
    await visitor.page.locator('#access-folders').check();
    await press(visitor, 'form.card .button.primary');
  }),
  answer('folders', 'lena', async (visitor) => {
    await newToken(visitor, 'Television');
    await visitor.page.locator('#access-folders').check();
    await press(visitor, 'button[value=browse]');
    await press(visitor, 'button.folder');
  }),
  answer('once', 'lena', async (visitor) => {
    await newToken(visitor, 'Garden camera');
    await press(visitor, 'form.card .button.primary');
    await visitor.page.evaluate(openGuides);
  }),
  at('/tokens/:id', 'lena', (site) => `/tokens/${site.id('Photo frame')}`),
  at('/tokens/:id', 'lena', (site) => `/tokens/${site.id('Lost phone')}`, 'a revoked token'),
  at('/tokens/:id', 'lena', '/tokens/no-such-token', 'nothing here'),
  at('/tokens/:id/regenerate', 'lena', (site) => `/tokens/${site.id('Old tablet')}/regenerate`),
  at('/tokens/:id/revoke', 'lena', (site) => `/tokens/${site.id('Photo frame')}/revoke`),
  answer('revoke dialog', 'lena', async (visitor, site) => {
    await visitor.go('/.latchkey/');
    await visitor.page.locator(`a[data-dialog][href*="${site.id('Photo frame')}"]`).click();
    await visitor.page.locator('dialog[open]').waitFor();
  }),
  answer('revoke several', 'lena', async (visitor, site) => {
    await visitor.go('/.latchkey/');
    for (const name of ['Old tablet', 'Tax adviser']) {
      await visitor.page.locator(`input[name=id][value="${site.id(name)}"]`).check();
    }
    await press(visitor, 'form .actions .button.danger');
  }),
  at('/devices', 'lena', '/devices'),
  at('/account', 'lena', '/account'),
  at('/admin/users', 'mira', '/admin/users'),
  at('/admin/users', 'lena', '/admin/users', 'not for everybody'),
  at('/admin/users/new', 'mira', '/admin/users/new'),
  at('/admin/users/:id', 'mira', (site) => `/admin/users/${site.id('lena')}`),
  at('/admin/users/:id/disable', 'mira', (site) => `/admin/users/${site.id('jonas')}/disable`),
  at('/admin/users/:id/remove', 'mira', (site) => `/admin/users/${site.id('jonas')}/remove`),
  answer('password link', 'mira', async (visitor, site) => {
    await visitor.go(`/.latchkey/admin/users/${site.id('jonas')}`);
    await press(visitor, 'form[action$="/password-link"] button');
  }),
  at('/admin/tokens', 'mira', '/admin/tokens'),
  at('/admin/policy', 'mira', '/admin/policy'),
  at('/admin/audit', 'mira', '/admin/audit'),
];
