import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import bcrypt from 'bcryptjs';
import { type Chromium, startChromium, type Visitor } from '../support/browser.ts';
import { answerRevoke, ask, makeToken, refused, signIn, useWithCurl } from '../support/browser-steps.ts';
import { endAll } from '../support/end-all.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { type OidcProvider, startOidcProvider } from '../support/oidc-provider.ts';
import { personPassword, type PortalWorld, startPortal } from '../support/portal.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';
import { type Slapd, startSlapd } from '../support/slapd.ts';

const dora = {
  ...{ subject: 'd-4711', login: 'dora', password: 'at the provider', name: 'Dora Quandt' },
  ...{ email: 'dora@example.org', groups: [] },
};

describe('signing in with a browser', requireProgram('chromium', 'curl', 'slapd', 'ldapmodify'), () => {
  let chromium: Chromium;
  let world: PortalWorld;
  let backend: RecordingBackend;
  let provider: OidcProvider;
  let slapd: Slapd;
  let scratch: Scratch;
  before(async () => {
    [chromium, backend, scratch] = await Promise.all([
      startChromium(),
      startRecordingBackend(),
      makeScratch('htpasswd'),
    ]);
    [provider, slapd] = await Promise.all([
      startOidcProvider({ people: [dora] }),
      startSlapd([{ uid: 'lena', password: 'of the directory' }]),
    ]);
    backend.answerWith(replying(200, 'a file'));
    const file = scratch.file('htpasswd');
    await writeFile(file, `hanna:${await bcrypt.hash('kept in a file', 4)}\n`);
    const { issuer, clientId } = provider;
    const { baseDn, bindDn } = slapd.config();
    const bindPassword = { fromEnv: 'LDAP_SECRET' };
    const ways = [
      { kind: 'local' },
      { kind: 'htpasswd', name: 'file', file },
      { kind: 'ldap', name: 'directory', url: slapd.url, baseDn, bindDn, bindPassword },
      {
        kind: 'oidc',
        name: 'sso',
        label: 'Example SSO',
        issuer,
        clientId,
        clientSecret: { fromEnv: 'SSO_SECRET' },
      },
    ];
    const env = {
      SSO_SECRET: provider.clientSecret ?? '',
      LDAP_SECRET: slapd.config().bindPassword ?? '',
    };
    world = await startPortal({ backend: backend.url, config: { signIn: { ways } }, env });
    await world.person('alice');
  });
  after(() =>
    endAll(
      () => chromium?.stop(),
      () => world?.stop(),
      () => provider?.stop(),
      () => slapd?.stop(),
      () => backend?.close(),
      () => scratch?.remove(),
    ),
  );

  const atProvider = async ({ page }: Visitor): Promise<void> => {
    await page.getByRole('button', { name: 'Sign in with Example SSO' }).click();
    await page.getByLabel('User name').fill('dora');
    await page.getByLabel('Password').fill(dora.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out', exact: true }).waitFor();
  };
  const ways: readonly (readonly [way: string, enter: (visitor: Visitor) => Promise<void>])[] = [
    ['a password kept here', (visitor) => signIn(visitor, 'alice', personPassword)],
    ['a password of an htpasswd file', (visitor) => signIn(visitor, 'hanna', 'kept in a file')],
    ['a password of a directory', (visitor) => signIn(visitor, 'lena', 'of the directory')],
    ['an OpenID Connect provider', atProvider],
  ];

  for (const [way, enter] of ways) {
    test(`by ${way}: a token is made, copied, used, seen to be used, and taken back`, async () => {
      const visitor = await chromium.visit({ url: world.gateway.url, alsoTo: [provider.issuer] });
      const { page } = visitor;
      await visitor.go('/.latchkey/');
      await enter(visitor);
      await page.getByRole('link', { name: 'Create your first token' }).waitFor();
      const made = await makeToken(visitor, 'laptop');
      await page.getByRole('button', { name: 'Copy Token' }).click();
      await page.getByText('Token copied.').waitFor();
      assert.equal(await ask(visitor, 'navigator.clipboard.readText()'), made.value);
      assert.equal(await useWithCurl(made), 200);
      await page.getByText('Connected from curl (127.0.0.1).').waitFor();
      await page.getByRole('link', { name: 'Done' }).click();
      await page.getByRole('link', { name: 'Revoke laptop' }).click();
      await answerRevoke(visitor, 'laptop');
      await refused(made);
      await visitor.leave();
    });
  }

  test('who is not signed in comes back to the page that was asked for', async () => {
    const visitor = await chromium.visit({ url: world.gateway.url });
    await visitor.go('/.latchkey/devices');
    await signIn(visitor, 'alice', personPassword);
    await visitor.page.getByRole('heading', { name: 'Devices & sessions' }).waitFor();
    await visitor.leave();
  });

  test('a wrong password is told beside the form, and the name stays typed', async () => {
    const visitor = await chromium.visit({ url: world.gateway.url });
    const { page } = visitor;
    await visitor.go('/.latchkey/');
    await page.getByLabel('User name').fill('alice');
    await page.getByLabel('Password').fill('not this one');
    await page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await page.getByRole('alert').getByText('do not fit together').waitFor();
    assert.equal(await page.getByLabel('User name').inputValue(), 'alice');
    await visitor.leave();
  });
});
