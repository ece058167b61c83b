import assert from 'node:assert/strict';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { run } from '../support/child-process.ts';
import { endAll } from '../support/end-all.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';

const example = new URL('../../examples/sftpgo/external-auth.sh', import.meta.url);
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** How SFTPGo reads a no; to print nothing is a yes. */
const no = '{"username":""}\n';

describe("the example for SFTPGo's external_auth_hook, called as SFTPGo calls it", () => {
  let gateway: Gateway;
  let hook: string;
  let token: string;
  before(async () => {
    const port = await freePort();
    gateway = await startGateway({ backend: 'http://127.0.0.1:9', config: { doors: { port } } });
    await gateway.user('alice');
    token = await gateway.token({ scopes: ['route:sftp:rw'] });
    const key = await gateway.command([
      'key',
      'create',
      'sftpgo',
      '--scope',
      'verify',
      '--expires',
      '1d',
      '--quiet',
    ]);
    await writeFile(gateway.scratch.file('sftpgo.key'), key.stdout);
    const latchkey = gateway.scratch.file('latchkey');
    await writeFile(latchkey, `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`);
    await chmod(latchkey, 0o755);
    hook = gateway.scratch.file('external-auth.sh');
    const settings: Readonly<Record<string, string>> = {
      latchkey,
      url: `http://127.0.0.1:${port}/verify`,
      key: gateway.scratch.file('sftpgo.key'),
    };
    const text = await readFile(example, 'utf8');
    await writeFile(
      hook,
      text.replace(/^(latchkey|url|key)=.*$/gm, (_, name: string) => `${name}=${settings[name]}`),
    );
    await chmod(hook, 0o755);
  });
  after(() => endAll(() => gateway?.stop()));

  /** What the hook says of this login. */
  async function said(
    change: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number | null; readonly stdout: string }> {
    const env = {
      SFTPGO_AUTHD_USERNAME: 'alice',
      SFTPGO_AUTHD_USER: '',
      SFTPGO_AUTHD_IP: '192.0.2.7',
      SFTPGO_AUTHD_PROTOCOL: 'SSH',
      SFTPGO_AUTHD_PASSWORD: token,
      SFTPGO_AUTHD_PUBLIC_KEY: '',
      SFTPGO_AUTHD_KEYBOARD_INTERACTIVE: '',
      SFTPGO_AUTHD_TLS_CERT: '',
      ...change,
    };
    const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const { code, stdout, stderr } = await run({
      label: 'hook',
      command: 'env',
      args: ['-i', ...pairs, hook],
    });
    assert.ok(!`${stdout}${stderr}`.includes(token));
    return { code, stdout };
  }

  test('a token that covers the service is a user with a folder of its own', async () => {
    const { code, stdout } = await said({});
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), {
      ...{ status: 1, username: 'alice', home_dir: '/srv/sftpgo/data/alice', permissions: { '/': ['*'] } },
    });
  });

  const refusals: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['a wrong password', { SFTPGO_AUTHD_PASSWORD: 'nonsense' }],
    ['another user', { SFTPGO_AUTHD_USERNAME: 'bob' }],
    ['another spelling of the user', { SFTPGO_AUTHD_USERNAME: 'ALICE' }],
    [
      'no password, as with a public key',
      { SFTPGO_AUTHD_PASSWORD: '', SFTPGO_AUTHD_PUBLIC_KEY: 'ssh-ed25519 A' },
    ],
    ['no user', { SFTPGO_AUTHD_USERNAME: '' }],
    ['a user that is a path', { SFTPGO_AUTHD_USERNAME: '../alice' }],
    ['a user that is JSON', { SFTPGO_AUTHD_USERNAME: 'alice","home_dir":"/' }],
  ];
  for (const [title, change] of refusals) {
    test(`${title} is a user without a name`, async () => {
      assert.deepEqual(await said(change), { code: 0, stdout: no });
    });
  }

  test('a token for something else is a user without a name', async () => {
    const other = await gateway.token({ scopes: ['path:/dav/alice/:rw'] });
    assert.deepEqual(await said({ SFTPGO_AUTHD_PASSWORD: other }), { code: 0, stdout: no });
  });

  test('what cannot be asked is a user without a name, and a failure of the hook', async () => {
    assert.deepEqual(await said({ SFTPGO_AUTHD_IP: 'nowhere' }), { code: 1, stdout: no });
    assert.deepEqual(await said({ SFTPGO_AUTHD_PASSWORD: `${token}\nmore` }), { code: 1, stdout: no });
  });
});
