import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Chromium, startChromium, type Visitor } from '../support/browser.ts';
import { orderToken, readMade, signIn, useWithCurl } from '../support/browser-steps.ts';
import { endAll } from '../support/end-all.ts';
import { type OidcProvider, startOidcProvider } from '../support/oidc-provider.ts';
import { personPassword, type PortalWorld, startPortal } from '../support/portal.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { type SettableClock, settableClock } from '../support/settable-clock.ts';

const dora = {
  ...{ subject: 'd-4711', login: 'dora', password: 'at the provider', name: 'Dora Quandt' },
  ...{ email: 'dora@example.org', groups: [] },
};
const minute = 60_000;
const day = 24 * 60 * minute;

describe('a change some time after signing in', requireProgram('chromium', 'curl'), () => {
  let chromium: Chromium;
  let world: PortalWorld;
  let backend: RecordingBackend;
  let provider: OidcProvider;
  let scratch: Scratch;
  let clock: SettableClock;
  before(async () => {
    [chromium, backend, scratch] = await Promise.all([
      startChromium(),
      startRecordingBackend(),
      makeScratch('clock'),
    ]);
    clock = settableClock(scratch);
    provider = await startOidcProvider({ people: [dora] });
    backend.answerWith(replying(200, 'a file'));
    const { issuer, clientId } = provider;
    const clientSecret = { fromEnv: 'SSO_SECRET' };
    const sso = { kind: 'oidc', name: 'sso', label: 'Example SSO', issuer, clientId, clientSecret };
    world = await startPortal({
      backend: backend.url,
      config: { signIn: { ways: [{ kind: 'local' }, sso] } },
      env: { ...clock.env, SSO_SECRET: provider.clientSecret ?? '' },
    });
    await world.person('alice');
  });
  after(() =>
    endAll(
      () => chromium?.stop(),
      () => world?.stop(),
      () => provider?.stop(),
      () => backend?.close(),
      () => scratch?.remove(),
    ),
  );
  beforeEach(() => clock.set(world.gateway, 0));

  const visit = (scripts = true): Promise<Visitor> =>
    chromium.visit({ url: world.gateway.url, alsoTo: [provider.issuer], scripts });
  const typeIn = async (visitor: Visitor): Promise<void> => {
    const { page } = visitor;
    await visitor.go('/.latchkey/tokens/new');
    await page.getByLabel('Name', { exact: true }).fill('typed before');
    await page.getByLabel('30 days').check();
    await page.getByLabel('The same, but read only').check();
    await page.getByRole('button', { name: 'Create token' }).click();
    await page.getByRole('heading', { name: 'Is it you?' }).waitFor();
  };
  const reachesOnlyReading = async (visitor: Visitor): Promise<void> => {
    const made = await readMade(visitor, '“typed before” is ready');
    assert.equal(await useWithCurl(made), 200);
    assert.equal(await useWithCurl(made, 'PUT', 'x'), 403);
  };

  for (const scripts of [true, false]) {
    test(`asks for the password and goes on with what was typed, with scripts ${scripts ? 'on' : 'off'}`, async () => {
      const visitor = await visit(scripts);
      const { page } = visitor;
      await clock.set(world.gateway, -6 * minute);
      await visitor.go('/.latchkey/');
      await signIn(visitor, 'alice', personPassword);
      await clock.set(world.gateway, 0);
      await typeIn(visitor);
      await page.getByLabel('Your password').fill('a guess');
      await page.getByRole('button', { name: 'Confirm and go on' }).click();
      await page.getByRole('alert').getByText('That is not your password.').waitFor();
      await page.getByLabel('Your password').fill(personPassword);
      await page.getByRole('button', { name: 'Confirm and go on' }).click();
      await reachesOnlyReading(visitor);
      await visitor.leave();
    });
  }

  test('asks for a fresh sign-in at the provider, and goes on with what was typed', async () => {
    const visitor = await visit();
    const { page } = visitor;
    const atProvider = async (): Promise<void> => {
      await page.getByRole('heading', { name: 'Provider sign-in' }).waitFor();
      await page.getByLabel('User name').fill('dora');
      await page.getByLabel('Password').fill(dora.password);
      await page.getByRole('button', { name: 'Sign in' }).click();
    };
    await clock.set(world.gateway, -6 * minute);
    await visitor.go('/.latchkey/');
    await page.getByRole('button', { name: 'Sign in with Example SSO' }).click();
    await atProvider();
    await page.getByRole('heading', { name: 'No tokens yet' }).waitFor();
    await clock.set(world.gateway, 0);
    await typeIn(visitor);
    await page.getByRole('button', { name: 'Confirm with Example SSO' }).click();
    await atProvider();
    await page.getByRole('heading', { name: 'Thank you, that was you' }).waitFor();
    await page.getByRole('button', { name: 'Go on with what you were doing' }).click();
    await reachesOnlyReading(visitor);
    await visitor.leave();
  });

  test('a token that has ended is given a new value and a new end', async () => {
    const visitor = await visit();
    const { page } = visitor;
    await clock.set(world.gateway, -10 * day);
    await visitor.go('/.latchkey/');
    await signIn(visitor, 'alice', personPassword);
    const expiresAt = new Date(Date.now() - 3 * day).toISOString();
    const made = await orderToken(visitor, 'week', { expiresAt });
    assert.equal(await useWithCurl(made), 200);
    await clock.set(world.gateway, 0);
    assert.equal(await useWithCurl(made), 401);
    await visitor.go(`/.latchkey/tokens/${made.id}`);
    await signIn(visitor, 'alice', personPassword);
    await page.getByText('Ended', { exact: true }).first().waitFor();
    await page.getByRole('link', { name: 'New value' }).click();
    await page.getByText('With a new end it can be used again.').waitFor();
    await page.getByLabel('90 days').check();
    await page.getByRole('button', { name: 'Make a new value' }).click();
    const renewed = await readMade(visitor, '“week” has a new value');
    assert.equal(renewed.id, made.id);
    assert.equal(await useWithCurl(renewed), 200);
    assert.equal(await useWithCurl(made), 401);
    await visitor.leave();
  });
});
