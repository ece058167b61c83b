import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import { type Apache, startApache } from '../support/apache.ts';
import { type Chromium, startChromium, type Visitor } from '../support/browser.ts';
import { signIn } from '../support/browser-steps.ts';
import { endAll } from '../support/end-all.ts';
import { personPassword, type PortalWorld, startPortal } from '../support/portal.ts';
import { requireProgram } from '../support/requirement.ts';

/** Tells, when asked, what it can read of the token pages. */
const uploaded = `<!doctype html><title>holiday</title><script>
// Its own address holds a password, and no script may ask with one.
const site = location.protocol + '//' + location.host;
window.look = () => fetch(site + '/.latchkey/account')
  .then((page) => page.text())
  .then((text) => text.includes('sign-out') ? 'read' : 'signed out', () => 'refused');
</script>`;

describe('a page that somebody uploaded', requireProgram('chromium', 'apache2'), () => {
  let chromium: Chromium;
  let world: PortalWorld;
  let apache: Apache;
  let visitor: Visitor;
  let elsewhere: Server;
  let elsewhereUrl: string;
  let form = '';
  before(async () => {
    [chromium, apache] = await Promise.all([startChromium(), startApache({ requireRemoteUser: true })]);
    await writeFile(join(apache.folder, 'holiday.html'), uploaded);
    world = await startPortal({ backend: apache.url, route: { match: { path: '/dav/' }, host: 'backend' } });
    await Promise.all([world.person('alice'), world.person('mallory')]);
    elsewhere = createServer((_req, res) => res.setHeader('Content-Type', 'text/html').end(form));
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve));
    const { port } = elsewhere.address() as AddressInfo;
    // Another site than 127.0.0.1 to a browser.
    elsewhereUrl = `http://localhost:${port}`;
    visitor = await chromium.visit({ url: world.gateway.url, alsoTo: [elsewhereUrl] });
  });
  after(() =>
    endAll(
      () => visitor?.context.close(),
      () => chromium?.stop(),
      () => world?.stop(),
      () => apache?.stop(),
      () => new Promise((resolve) => elsewhere.close(resolve)),
    ),
  );

  /** With a token of the attacker's own, so that the browser asks nothing. */
  const address = async (): Promise<string> => {
    const value = await world.gateway.token({ user: 'mallory' });
    return `${world.gateway.url.replace('//', `//mallory:${value}@`)}/dav/holiday.html`;
  };
  const look = (page: Page): Promise<unknown> => page.evaluate('look()');

  test('reads nothing of our pages when it was open before somebody signed in', async () => {
    const open = await visitor.context.newPage();
    await open.goto(await address());
    assert.equal(await look(open), 'refused');
    await visitor.go('/.latchkey/');
    await signIn(visitor, 'alice', personPassword);
    assert.equal(await look(open), 'refused');
    await open.close();
  });

  test('reads nothing of our pages when another site’s form opens it, with which no cookie comes', async () => {
    form = `<!doctype html><form method="post" action="${await address()}"><button>Win</button></form>`;
    await visitor.page.goto(elsewhereUrl);
    await visitor.page.getByRole('button').click();
    await visitor.page.waitForURL('**/holiday.html');
    assert.equal(await look(visitor.page), 'refused');
  });
});
