import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { type CommandOutcome, runCommand } from '../support/command-line.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { basic, type Gateway, route, startGateway } from '../support/gateway.ts';
import { field, type HttpMessage, status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';

const password = 'correct horse battery staple';
const formType = 'Content-Type: application/x-www-form-urlencoded';
type Form = Readonly<Record<string, string>>;

describe('POST /verify', () => {
  let gateway: Gateway;
  let port: number;
  let key: string;
  let token: string;
  before(async () => {
    port = await freePort();
    gateway = await startGateway({
      routes: [
        route({ name: 'files', backend: 'http://127.0.0.1:9', match: { path: '/dav/' } }),
        route({
          name: 'old',
          backend: 'http://127.0.0.1:9',
          match: { path: '/old/' },
          mainPassword: 'allow',
        }),
      ],
      config: { doors: { port }, limits: { failuresPerAccount: 3, failuresPerClient: 20 } },
    });
    await gateway.user('alice', password);
    await gateway.user('bob');
    key = await adminKey('verifier', 'verify');
    token = await gateway.token({ scopes: ['path:/dav/alice/:rw', 'route:sftp:rw'] });
  });
  after(() => endAll(() => gateway?.stop()));

  async function adminKey(name: string, scope: string): Promise<string> {
    const args = ['key', 'create', name, '--scope', scope, '--expires', '1d', '--quiet'];
    const { code, stdout, stderr } = await gateway.command(args);
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }

  const post = (body: string, fields: readonly string[], target = '/verify'): Promise<HttpMessage> =>
    exchange(port, 'POST', target, [formType, ...fields], body);
  const ask = (form: Form): Promise<HttpMessage> =>
    post(new URLSearchParams(form).toString(), [`Authorization: Bearer ${key}`]);
  async function said(form: Form): Promise<Readonly<Record<string, unknown>>> {
    const answer = await ask(form);
    assert.equal(status(answer), 200, answer.body.toString());
    assert.equal(field(answer, 'Cache-Control'), 'no-store');
    return JSON.parse(answer.body.toString()) as Readonly<Record<string, unknown>>;
  }
  const isActive = async (form: Form): Promise<unknown> => (await said(form))['active'];

  test('a token that counts is told with whose it is, what it may do and when it began', async () => {
    const { active, sub, client_id, iat, ...rest } = await said({ token, token_type_hint: 'access_token' });
    assert.equal(active, true);
    assert.match(String(sub), /^[0-9a-f-]{36}$/);
    assert.match(String(client_id), /^[0-9a-f-]{36}$/);
    assert.ok(Number.isInteger(iat) && Math.abs(Date.now() / 1_000 - Number(iat)) < 600);
    assert.deepEqual(rest, {
      ...{ username: 'alice', scope: 'path:/dav/alice/:rw route:sftp:rw', token_type: 'Bearer' },
    });
  });

  test('its end is told in seconds', async () => {
    const expiring = await gateway.token({ args: ['--expires', '30d'] });
    const { exp } = await said({ token: expiring });
    assert.ok(Math.abs(Number(exp) - Date.now() / 1_000 - 30 * 86_400) < 600);
  });

  test('with a user name, it has to be the name of its owner', async () => {
    assert.equal(await isActive({ token, username: 'alice' }), true);
    assert.equal((await said({ token, username: 'ALICE' }))['username'], 'alice');
    assert.equal(await isActive({ token, username: 'bob' }), false);
    assert.equal(await isActive({ token, username: '' }), false);
  });

  test('with a scope, one of its own must hold all of it', async () => {
    const scoped = (scope: string): Promise<unknown> => isActive({ token, scope });
    assert.equal(await scoped('route:sftp:rw'), true);
    assert.equal(await scoped('route:sftp:r path:/dav/alice/Photos/:w'), true);
    assert.equal(await scoped('path:/dav/{user}/:rw'), true);
    assert.equal(await scoped('path:/dav/:r'), false);
    assert.equal(await scoped('route:sftp:rw route:other:r'), false);
    assert.equal(await scoped('*'), false);
  });

  test('a main password counts where the named route accepts one, and nowhere else', async () => {
    const login = { token: password, username: 'alice' };
    assert.equal(await isActive({ ...login, route: 'old', scope: '*' }), true);
    assert.equal(await isActive({ ...login, route: 'files' }), false);
    assert.equal(await isActive(login), false);
    assert.equal(await isActive({ token: password, route: 'old' }), false);
    assert.equal(await isActive({ token, username: 'alice', route: 'old' }), true);
  });

  test('a token bound to networks counts there alone', async () => {
    const bound = await gateway.token({ args: ['--network', '192.0.2.0/24'] });
    assert.equal(await isActive({ token: bound, address: '192.0.2.7' }), true);
    assert.equal(await isActive({ token: bound, address: '::ffff:192.0.2.7' }), true);
    assert.equal(await isActive({ token: bound, address: '198.51.100.7' }), false);
    assert.equal(await isActive({ token: bound }), false);
  });

  test('whatever does not count is told in one and the same way', async () => {
    const revoked = await gateway.token({ args: ['--expires', '1d'] });
    const listed = await gateway.command(['token', 'list', '--user', 'alice', '--json']);
    const tokens = JSON.parse(listed.stdout) as readonly { readonly id: string; readonly prefix: string }[];
    const { id = '' } = tokens.find(({ prefix }) => revoked.startsWith(prefix)) ?? {};
    assert.equal(await isActive({ token: revoked }), true);
    assert.equal((await gateway.command(['token', 'revoke', id])).code, 0);
    await eventually('it to be refused', async () => (await isActive({ token: revoked })) === false);
    const answers = new Set<string>();
    for (const other of [revoked, `lk_${'a'.repeat(42)}`, 'nonsense', token.slice(0, -1), key]) {
      answers.add((await ask({ token: other })).body.toString());
    }
    assert.deepEqual([...answers], ['{"active":false}\n']);
  });

  test('guesses are counted by user: the answer stays, with a time to wait, and a token still counts', async () => {
    const guess = (token: string): Promise<HttpMessage> =>
      ask({ token, username: 'bob', address: '192.0.2.99' });
    for (const wrong of ['a', 'b', 'c']) assert.equal(field(await guess(wrong), 'Retry-After'), null);
    const late = await guess('d');
    assert.equal(late.body.toString(), '{"active":false}\n');
    assert.ok(Number(field(late, 'Retry-After')) > 0);
    const bobs = await gateway.token({ user: 'bob' });
    assert.equal(await isActive({ token: bobs, username: 'bob', address: '192.0.2.99' }), true);
  });

  const wrongs: readonly (readonly [string, string])[] = [
    ['no token', 'username=alice'],
    ['an empty token', 'token='],
    ['two tokens', 'token=a&token=b'],
    ['two user names', 'token=a&username=alice&username=bob'],
    ['a scope that is none', 'token=a&scope=everything'],
    ['a route that is none', 'token=a&route=nowhere'],
    ['an address that is none', 'token=a&address=localhost'],
    ['too much', `token=${'a'.repeat(20_000)}`],
  ];
  for (const [title, body] of wrongs) {
    test(`a form with ${title} is malformed, and nothing is told of it`, async () => {
      const answer = await post(body, [`Authorization: Bearer ${key}`]);
      assert.equal(status(answer), 400);
      assert.equal((JSON.parse(answer.body.toString()) as { error: string }).error, 'invalid_request');
    });
  }

  test('a token in the target is malformed, and so is a body that is no form', async () => {
    const authorized = `Authorization: Bearer ${key}`;
    assert.equal(status(await post('x=1', [authorized], `/verify?token=${token}`)), 400);
    const json = ['Content-Type: application/json', authorized];
    assert.equal(status(await exchange(port, 'POST', '/verify', json, '{"token":"a"}')), 400);
  });

  test('the key is taken as Bearer or as the password of Basic', async () => {
    const body = `token=${token}`;
    for (const value of [`Bearer ${key}`, basic('sshd', key), basic('', key)]) {
      assert.equal(status(await post(body, [`Authorization: ${value}`])), 200, value.slice(0, 6));
    }
  });

  test('who sends no such key is told nothing, whatever the token', async () => {
    const other = await adminKey('reader', 'audit');
    const answers = new Set<string>();
    const strangers = [
      'X: y',
      `Authorization: Bearer ${token}`,
      `Authorization: ${basic('alice', token)}`,
      `Authorization: Bearer ${key}x`,
    ];
    for (const stranger of strangers) {
      for (const asked of [token, 'nonsense']) {
        const answer = await post(`token=${asked}`, [stranger]);
        assert.equal(status(answer), 401);
        assert.match(answer.head, /^WWW-Authenticate: Bearer realm="Latchkey verify"\r$/m);
        answers.add(answer.body.toString());
      }
    }
    assert.equal(answers.size, 1);
    const twice = [`Authorization: Bearer ${key}`, `Authorization: Bearer ${key}`];
    assert.equal(status(await post(`token=${token}`, twice)), 401);
    for (const asked of [token, 'nonsense']) {
      assert.equal(status(await post(`token=${asked}`, [`Authorization: Bearer ${other}`])), 403);
    }
    assert.equal(status(await exchange(port, 'GET', '/verify', [`Authorization: Bearer ${key}`])), 405);
    assert.equal(status(await exchange(port, 'POST', '/verify/x', [`Authorization: Bearer ${key}`])), 404);
  });

  test('the key manages nothing', async () => {
    const answer = await exchange(gateway.port, 'GET', '/.latchkey/api/v1/users', [
      `Authorization: Bearer ${key}`,
    ]);
    assert.equal(status(answer), 403);
  });

  test('the log says who was let in and why others were not, and no secret', async () => {
    await eventually('the lines', () => {
      const lines = gateway
        .logLines()
        .map(({ access }) => access as Readonly<Record<string, unknown>> | undefined);
      const reasons = new Set(lines.map((line) => line?.['reason']));
      return (
        lines.some((line) => line?.['outcome'] === 'ok' && line['userName'] === 'alice') &&
        ['wrong_user', 'network', 'revoked', 'scope', 'no_admin_key'].every((reason) => reasons.has(reason))
      );
    });
    assert.ok(!gateway.output().includes(token) && !gateway.output().includes(key));
    assert.ok(!gateway.output().includes(password));
  });

  describe('latchkey verify', () => {
    let keyFile: string;
    before(async () => {
      keyFile = gateway.scratch.file('verify.key');
      await writeFile(keyFile, `${key}\n`, { mode: 0o600 });
    });
    const url = (): string => `http://127.0.0.1:${port}/verify`;
    const run = async (
      stdin: string,
      args: readonly string[],
      env: Readonly<Record<string, string>> = {},
    ): Promise<CommandOutcome> => {
      const argv = ['verify', '--url', url(), '--key-file', keyFile, ...args];
      const done = await runCommand(argv, { cwd: gateway.scratch.path, stdin, env });
      assert.ok(!`${done.stdout}${done.stderr}`.includes(token));
      return done;
    };
    const verify = async (stdin: string, ...args: readonly string[]): Promise<number> =>
      (await run(stdin, args)).exitCode;
    const sftp = ['--scope', 'route:sftp:rw'];

    test('ends with 0 where name and secret belong together, with 4 where they do not', async () => {
      assert.equal(await verify(`alice\n${token}\n`, ...sftp), 0);
      assert.equal(await verify(token, ...sftp, '--user', 'alice'), 0);
      assert.equal(await verify(`bob\n${token}\n`, ...sftp), 4);
      assert.equal(await verify('alice\nnonsense\n', ...sftp), 4);
      assert.equal(await verify('alice\n\n', ...sftp), 4);
    });

    test('takes the one spelling of a name alone: other spellings may be other accounts to who asks', async () => {
      for (const other of ['Alice', 'ALICE', '\uff41lice']) {
        const { exitCode, stdout } = await run(`${other}\n${token}\n`, [...sftp, '--json']);
        assert.deepEqual([exitCode, JSON.parse(stdout)], [4, { active: false }], other);
        const env = { PAM_TYPE: 'auth', PAM_USER: other, PAM_RHOST: '192.0.2.7' };
        const pam = await run(token, [...sftp, '--pam'], env);
        assert.equal(pam.exitCode, 4, other);
        assert.match(pam.stderr, /another spelling/);
      }
    });

    test('wants everything where no scope is named', async () => {
      assert.equal(await verify(`alice\n${token}\n`), 4);
      assert.equal(await verify(`alice\n${await gateway.token()}\n`), 0);
      assert.equal(await verify(`alice\n${token}\n`, '--scope', 'route:other:r'), 4);
    });

    test('accepts the main password where the named route does', async () => {
      assert.equal(await verify(`alice\n${password}\n`, '--route', 'old'), 0);
      assert.equal(await verify(`alice\n${password}\n`), 4);
    });

    test('prints what the gateway says where JSON is wanted', async () => {
      const { stdout } = await run(`alice\n${token}\n`, [...sftp, '--json']);
      assert.equal((JSON.parse(stdout) as { username: string }).username, 'alice');
    });

    test('takes what pam_exec gives it: the user in PAM_USER, the secret with a zero byte or without', async () => {
      const auth = { PAM_TYPE: 'auth', PAM_USER: 'alice', PAM_RHOST: '192.0.2.7', PAM_SERVICE: 'sshd' };
      const pam = async (stdin: string, env: Readonly<Record<string, string>> = auth): Promise<number> =>
        (await run(stdin, [...sftp, '--pam'], env)).exitCode;
      assert.equal(await pam(token), 0);
      assert.equal(await pam(`${token}\0`), 0);
      assert.equal(await pam(`${token}\n`), 4);
      assert.equal(await pam(`${token}\0`, { ...auth, PAM_USER: 'bob' }), 4);
      assert.equal(await pam(`${token}\0`, { ...auth, PAM_RHOST: 'client.example.org' }), 0);
      assert.equal(await pam('\0'), 4);
      assert.equal(await pam(''), 2);
      assert.equal(await pam(`${token}\0\0`), 2);
      assert.equal(await pam(`${token}\0`, { ...auth, PAM_TYPE: 'account' }), 2);
      assert.equal(await pam(`${token}\0`, { ...auth, PAM_USER: '' }), 2);
      assert.equal(await pam(`${token}\0`, {}), 2);
    });

    test('is a command like the others, and needs no configuration', async () => {
      const args = ['verify', '--url', url(), '--key-file', keyFile, ...sftp];
      assert.equal((await gateway.command(args, `alice\n${token}\n`)).code, 0);
      assert.equal((await gateway.command(args, `bob\n${token}\n`)).code, 4);
    });

    test('ends with 1 or 2, never 0, where it cannot ask or is called wrongly', async () => {
      const login = `alice\n${token}\n`;
      assert.equal(await verify(login, '--url', `http://127.0.0.1:${await freePort()}/verify`), 1);
      assert.equal(await verify(login, '--url', `http://127.0.0.1:${gateway.adminPort}/livez`), 1);
      assert.equal(await verify(login, '--key-file', gateway.scratch.file('missing')), 1);
      assert.equal(await verify(login, '--url', 'ftp://127.0.0.1/'), 2);
      assert.equal(await verify(login, '--scope', 'everything'), 2);
      for (const nothing of ['', ' ']) assert.equal(await verify(login, '--scope', nothing), 2);
      assert.equal(await verify(token, ...sftp), 2);
      assert.equal(await verify(`alice\n${token}\nmore\n`, ...sftp), 2);
      await writeFile(gateway.scratch.file('wrong.key'), `${key}x`);
      assert.equal(await verify(login, ...sftp, '--key-file', gateway.scratch.file('wrong.key')), 1);
    });
  });
});
