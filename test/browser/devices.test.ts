import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Chromium, startChromium, type Visitor } from '../support/browser.ts';
import {
  answerRevoke,
  type MadeToken,
  orderToken,
  refused,
  signIn,
  useWithCurl,
} from '../support/browser-steps.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { personPassword, type PortalWorld, startPortal } from '../support/portal.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';

const firefoxOnWindows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0';

describe('devices, sessions and account in a browser', requireProgram('chromium', 'curl'), () => {
  let chromium: Chromium;
  let world: PortalWorld;
  let backend: RecordingBackend;
  let visitor: Visitor;
  before(async () => {
    [chromium, backend] = await Promise.all([startChromium(), startRecordingBackend()]);
    backend.answerWith(replying(200, 'a file'));
    world = await startPortal({ backend: backend.url });
    await world.person('alice');
    visitor = await enter();
  });
  after(() =>
    endAll(
      () => visitor?.leave(),
      () => chromium?.stop(),
      () => world?.stop(),
      () => backend?.close(),
    ),
  );

  const enter = async (userAgent?: string): Promise<Visitor> => {
    const url = world.gateway.url;
    const one = await chromium.visit(userAgent === undefined ? { url } : { url, userAgent });
    await one.go('/.latchkey/');
    await signIn(one, 'alice', personPassword);
    return one;
  };
  const isAtTheDoor = async (one: Visitor): Promise<void> => {
    await one.go('/.latchkey/account');
    await one.page.getByRole('heading', { name: 'Sign in' }).waitFor();
  };

  test('one device is disconnected, the others stay', async () => {
    const { page } = visitor;
    const phone = await orderToken(visitor, 'phone');
    const laptop = await orderToken(visitor, 'laptop');
    await fetch(phone.server, { headers: { ...auth(phone), 'User-Agent': 'DAVx5/4.5 (Android 16)' } });
    await fetch(laptop.server, { headers: { ...auth(laptop), 'User-Agent': 'rclone/v1.71.0' } });
    await eventually(
      'both to be listed',
      async () => {
        await visitor.go('/.latchkey/devices');
        return (await page.getByRole('link', { name: /^Disconnect / }).count()) === 2;
      },
      { withinMs: 20_000, everyMs: 200 },
    );
    const apps = page.getByRole('region', { name: 'Apps and devices' });
    await apps.getByText('DAVx⁵').waitFor();
    await apps.getByText('rclone').waitFor();
    await page.getByRole('link', { name: 'Disconnect phone' }).click();
    await answerRevoke(visitor, 'phone');
    await page.getByRole('heading', { name: 'Devices & sessions' }).waitFor();
    await refused(phone);
    assert.equal(await useWithCurl(laptop), 200);
  });

  test('another browser is listed by its name and signed out, this one stays', async () => {
    const other = await enter(firefoxOnWindows);
    await visitor.go('/.latchkey/devices');
    await visitor.page.getByRole('button', { name: 'Sign out Firefox on Windows' }).click();
    await visitor.page.getByText('That browser is signed out.').waitFor();
    await isAtTheDoor(other);
    await other.leave();
  });

  test('signing out everywhere else leaves this browser, and tokens', async () => {
    const [one, two] = [await enter(), await enter(firefoxOnWindows)];
    const token = await orderToken(visitor, 'tablet');
    await visitor.go('/.latchkey/devices');
    await visitor.page.getByRole('button', { name: 'Sign out everywhere else' }).click();
    await visitor.page.getByText('All other browsers are signed out.').waitFor();
    await isAtTheDoor(one);
    await isAtTheDoor(two);
    assert.equal(await useWithCurl(token), 200);
    await one.leave();
    await two.leave();
  });

  test('a new password is chosen, and the old one opens nothing', async () => {
    const { page } = visitor;
    await visitor.go('/.latchkey/account');
    await page.getByLabel('Current password').fill(personPassword);
    await page.getByLabel('New password', { exact: true }).fill('another horse, same battery');
    await page.getByLabel('The same again').fill('another horse, same battery');
    await page.getByRole('button', { name: 'Change password' }).click();
    await page.getByText('Your password is changed.').waitFor();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByLabel('User name').fill('alice');
    await page.getByLabel('Password').fill(personPassword);
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').waitFor();
    await signIn(visitor, 'alice', 'another horse, same battery');
  });

  test('the language changes by a link on any page, and for good in the account', async () => {
    const { page } = visitor;
    await visitor.go('/.latchkey/devices');
    await page.getByRole('link', { name: 'Deutsch' }).click();
    await page.getByRole('heading', { name: 'Geräte & Sitzungen' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'de');
    await visitor.go('/.latchkey/account');
    await page.getByRole('combobox').selectOption('en');
    await page.locator('form[action$="/account/language"] button').click();
    await page.getByText('The language is changed.').waitFor();
    await visitor.go('/.latchkey/');
    await page.getByRole('heading', { name: 'My tokens' }).waitFor();
  });

  test('a browser that asks for German gets it before anybody signs in', async () => {
    const guest = await chromium.visit({ url: world.gateway.url, language: 'de' });
    await guest.go('/.latchkey/');
    await guest.page.getByRole('button', { name: 'Anmelden', exact: true }).waitFor();
    await guest.leave();
  });
});

function auth({ user, value }: MadeToken): Readonly<Record<string, string>> {
  return { Authorization: `Basic ${btoa(`${user}:${value}`)}` };
}
