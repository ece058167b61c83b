import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { requireProgram, requireRoot } from '../support/requirement.ts';
import { type SftpServer, startSftpServer } from '../support/sftp-server.ts';

const programs = requireProgram('sshd', 'sftp', 'sshpass', 'ssh-keygen', 'unshare');

describe('an SFTP login at OpenSSH', programs.skip === false ? requireRoot() : programs, () => {
  let gateway: Gateway;
  let server: SftpServer;
  let token: string;
  before(async () => {
    const port = await freePort();
    gateway = await startGateway({ backend: 'http://127.0.0.1:9', config: { doors: { port } } });
    await Promise.all(['alice', 'bob'].map((user) => gateway.user(user, `password of ${user}`)));
    const made = await gateway.command([
      'key',
      'create',
      'sshd',
      '--scope',
      'verify',
      '--expires',
      '1d',
      '--quiet',
    ]);
    const keyFile = gateway.scratch.file('sshd.key');
    await writeFile(keyFile, made.stdout, { mode: 0o600 });
    token = await gateway.token({ scopes: ['route:sftp:rw'] });
    server = await startSftpServer(['alice', 'Alice', 'bob'], `http://127.0.0.1:${port}/verify`, keyFile);
  });
  after(() =>
    endAll(
      () => server?.stop(),
      () => gateway?.stop(),
    ),
  );

  const isIn = async (user: string, password: string): Promise<boolean> => {
    const { code, stderr } = await server.login(user, password, 'pwd');
    // sshpass ends with 5 where the password is refused, sftp with 255 where the server hangs up.
    assert.ok(code === 0 || /Permission denied/.test(stderr), `${code} ${stderr} ${await server.log()}`);
    return code === 0;
  };

  test('is let in with a token as password, and works', async () => {
    const file = gateway.scratch.file('letter.txt');
    await writeFile(file, 'sent over SFTP');
    const { code, stderr } = await server.login('alice', token, `put ${file} letter.txt`, 'ls -l');
    assert.equal(code, 0, stderr + (await server.log()));
    assert.equal(await readFile(join(server.folder, 'letter.txt'), 'utf8'), 'sent over SFTP');
  });

  test('is refused with a wrong secret, the token of somebody else, or the main password', async () => {
    const logins = [
      isIn('alice', `lk_${'a'.repeat(42)}`),
      isIn('bob', token),
      isIn('alice', 'password of alice'),
    ];
    assert.deepEqual(await Promise.all(logins), [false, false, false]);
  });

  test('is refused where the account of the machine differs from the user in its capitals alone', async () => {
    assert.equal(await isIn('Alice', token), false);
    assert.equal(await isIn('alice', token), true);
  });

  test('is refused with a token for something else, let in with one for everything', async () => {
    const scopes = ['path:/dav/alice/:rw', 'route:sftp:r', '*'];
    const tokens = await Promise.all(scopes.map((scope) => gateway.token({ scopes: [scope] })));
    const logins = tokens.map((each) => isIn('alice', each));
    assert.deepEqual(await Promise.all(logins), [false, false, true]);
  });

  test('shows its owner where the token was used', async () => {
    const used = gateway.logLines().flatMap(({ access }) => {
      const line = access as { readonly outcome: string; readonly clientAddress: string } | undefined;
      return line?.outcome === 'ok' ? [line.clientAddress] : [];
    });
    assert.ok(used.includes('127.0.0.1'), used.join());
  });

  test('is refused once the token is revoked', async () => {
    const short = await gateway.token({ user: 'bob', scopes: ['route:sftp:rw'] });
    assert.equal(await isIn('bob', short), true);
    const listed = await gateway.command(['token', 'list', '--user', 'bob', '--json']);
    const [only] = JSON.parse(listed.stdout) as readonly { readonly id: string }[];
    assert.equal((await gateway.command(['token', 'revoke', only?.id ?? ''])).code, 0);
    assert.equal(await isIn('bob', short), false);
  });

  test('is refused while the gateway is away, and no secret stands in any log', async () => {
    gateway.term();
    await gateway.exited;
    assert.equal(await isIn('alice', token), false);
    assert.ok(!`${await server.log()}${gateway.output()}`.includes(token));
  });
});
