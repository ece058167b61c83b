import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { run } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { field } from '../support/http-message.ts';
import {
  type OidcProvider,
  type ProviderPerson,
  signInAtProvider,
  startOidcProvider,
} from '../support/oidc-provider.ts';
import { type PlainBrowser, type PortalWorld, startPortal } from '../support/portal.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { personDn, type Slapd, startSlapd } from '../support/slapd.ts';

const olga: ProviderPerson = {
  ...{ subject: 'olga', login: 'olga', password: 'the password of olga' },
  ...{ name: 'Olga O.', email: 'olga@example.org', groups: [] },
};
/** The shortest interval that the configuration takes, and what comes on top of it. */
const lapseMs = 20_000;

describe('users from elsewhere', requireProgram('slapd', 'ldapmodify', 'openssl', 'htpasswd'), () => {
  let backend: RecordingBackend;
  let slapd: Slapd;
  let provider: OidcProvider;
  let scratch: Scratch;
  let world: PortalWorld;
  before(async () => {
    scratch = await makeScratch('sources');
    backend = await startRecordingBackend();
    backend.answerWith(replying(200, 'a file'));
    slapd = await startSlapd([{ uid: 'lena', password: 'the password of lena', displayName: 'Lena L.' }]);
    provider = await startOidcProvider({ people: [olga] });
    await writeHtpasswd(['hugo', 'hilda']);
    const { bindDn, baseDn, url } = slapd.config();
    world = await startPortal({
      backend: backend.url,
      route: { mainPassword: 'allow' },
      env: { LDAP_PASSWORD: slapd.config().bindPassword ?? '', CLIENT_SECRET: provider.clientSecret ?? '' },
      config: {
        signIn: {
          ways: [
            { kind: 'local' },
            { kind: 'htpasswd', name: 'staff', file: scratch.file('htpasswd') },
            {
              kind: 'ldap',
              name: 'directory',
              url,
              baseDn,
              bindDn,
              bindPassword: { fromEnv: 'LDAP_PASSWORD' },
            },
            {
              ...{ kind: 'oidc', name: 'sso', label: 'Example', issuer: provider.issuer },
              ...{ clientId: provider.clientId, clientSecret: { fromEnv: 'CLIENT_SECRET' } },
              scopes: ['openid', 'profile', 'email', 'offline_access'],
            },
          ],
          checkInterval: '10s',
        },
      },
    });
  });
  after(async () => {
    await world.stop();
    await provider.stop();
    await slapd.stop();
    await backend.close();
    await scratch.remove();
  });

  async function writeHtpasswd(names: readonly string[]): Promise<void> {
    const lines = await Promise.all(
      names.map(async (name) => {
        const args = ['-n', '-i', '-B', '-C', '5', name];
        const input = `the password of ${name}`;
        return (await run({ label: 'htpasswd', command: 'htpasswd', args, input })).stdout.trim();
      }),
    );
    await writeFile(scratch.file('htpasswd'), `${lines.join('\n')}\n`);
  }

  const basic = (user: string, secret: string): Promise<Response> =>
    fetch(`${world.gateway.url}/file`, { headers: { Authorization: `Basic ${btoa(`${user}:${secret}`)}` } });

  /** The login name and a new token of whoever is signed in. */
  async function mint(browser: PlainBrowser): Promise<{ readonly name: string; readonly value: string }> {
    const made = await browser.fetch('/.latchkey/api/v1/tokens', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': await browser.csrf() },
      body: JSON.stringify({ name: 'phone', scopes: ['*'] }),
    });
    assert.equal(made.status, 201, await made.clone().text());
    const { value, token } = (await made.json()) as { value: string; token: { owner: { name: string } } };
    return { name: token.owner.name, value };
  }

  /** Both the token and the pages are closed within the interval. */
  async function lapses(browser: PlainBrowser, token: { readonly name: string; readonly value: string }) {
    assert.equal((await basic(token.name, token.value)).status, 200);
    await eventually(
      `the token of ${token.name} to stop`,
      async () => (await basic(token.name, token.value)).status === 401,
      { withinMs: lapseMs, everyMs: 200 },
    );
    assert.equal((await browser.fetch('/.latchkey/')).status, 303);
  }

  async function signInBySso(browser: PlainBrowser): Promise<Response> {
    await browser.get('/.latchkey/');
    const begun = await browser.fetch('/.latchkey/sign-in/sso', {
      method: 'POST',
      body: new URLSearchParams({ csrf: await browser.csrf(), next: '/.latchkey/devices' }),
    });
    assert.equal(begun.status, 303, await begun.clone().text());
    const back = new URL(await signInAtProvider(begun.headers.get('location') ?? '', olga));
    return browser.get(back.pathname + back.search);
  }

  // Each waits for the interval: they wait together.
  describe('wherever they are from', { concurrency: 3 }, () => {
    test('of a directory come in by the form, and are out when they are deleted there', async () => {
      const browser = world.browser();
      await browser.signIn('LENA', 'the password of lena');
      const token = await mint(browser);
      assert.equal(token.name, 'lena');
      await slapd.change(`dn: ${personDn('lena')}\nchangetype: delete\n`);
      await lapses(browser, token);
    });

    test('of a provider come in by its button, and are out when they are disabled there', async () => {
      const browser = world.browser();
      const answer = await signInBySso(browser);
      assert.equal(new URL(answer.url).pathname, '/.latchkey/devices');
      const token = await mint(browser);
      assert.match(token.name, /^[0-9a-f-]{36}$/);
      await provider.change('olga', { disabled: true });
      await lapses(browser, token);
      await provider.change('olga', { disabled: false });
      const again = world.browser();
      await signInBySso(again);
      assert.equal(
        (await basic(token.name, token.value)).status,
        200,
        'who is back has the tokens of before',
      );
    });

    test('of an htpasswd file come in by the form or with their main password, and are out with their line', async () => {
      assert.equal((await basic('hugo', 'the password of hugo')).status, 200);
      const request = backend.requests.at(-1);
      assert.equal(request && field(request, 'X-Remote-User'), 'hugo');
      assert.equal((await basic('hugo', 'wrong')).status, 401);
      const browser = world.browser();
      await browser.signIn('hugo', 'the password of hugo');
      const token = await mint(browser);
      await writeHtpasswd(['hilda']);
      await lapses(browser, token);
      assert.equal((await basic('hugo', 'the password of hugo')).status, 401);
      assert.equal((await basic('hilda', 'the password of hilda')).status, 200);
    });
  });

  test('cannot come back by an answer of the provider that was used', async () => {
    const browser = world.browser();
    await browser.get('/.latchkey/');
    const begun = await browser.fetch('/.latchkey/sign-in/sso', {
      method: 'POST',
      body: new URLSearchParams({ csrf: await browser.csrf() }),
    });
    const back = new URL(await signInAtProvider(begun.headers.get('location') ?? '', olga));
    const stranger = world.browser();
    const stolen = await stranger.fetch(back.pathname + back.search);
    assert.equal(stolen.status, 401, 'another browser has begun nothing');
    assert.equal((await browser.fetch(back.pathname + back.search)).status, 303);
    assert.equal((await browser.fetch(back.pathname + back.search)).status, 401);
  });

  test('leave no password, code or secret in what the gateway writes', () => {
    const output = world.gateway.output();
    for (const secret of ['the password of', 'client secret', 'code=', 'state=']) {
      assert.ok(!output.includes(secret), secret);
    }
  });
});
