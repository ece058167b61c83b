import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { runCommand, type CommandOutcome } from '../support/command-line.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch('admin-cli');
});
afterEach(() => scratch.remove());

const run = (args: readonly string[], stdin = ''): Promise<CommandOutcome> =>
  runCommand(args, { cwd: scratch.path, stdin });

async function ok(...args: readonly string[]): Promise<CommandOutcome> {
  const ran = await run(args);
  assert.equal(ran.exitCode, 0, `${args.join(' ')}: ${ran.stderr}`);
  return ran;
}

async function json<T>(...args: readonly string[]): Promise<T> {
  return JSON.parse((await ok(...args, '--json')).stdout) as T;
}

async function fails(code: number, pattern: RegExp, ...args: readonly string[]): Promise<void> {
  const ran = await run(args);
  assert.equal(ran.exitCode, code, `${args.join(' ')}: ${ran.stderr}`);
  assert.match(ran.stderr, pattern);
  assert.equal(ran.stdout, '');
}

type Shown = Readonly<Record<string, unknown>>;

describe('latchkey user', () => {
  test('add makes an admin, with a name for people and a mail address', async () => {
    const added = await json<Shown>(
      ...['user', 'add', 'alice', '--admin', '--display-name', 'Alice Ö.', '--mail', 'a@example.org'],
    );
    const { role, displayName, email, source, hasPassword } = added;
    assert.deepEqual(
      { role, displayName, email, source, hasPassword },
      {
        ...{ role: 'admin', displayName: 'Alice Ö.', email: 'a@example.org' },
        ...{ source: 'local', hasPassword: false },
      },
    );
    await fails(2, /no mail address/, 'user', 'add', 'bob', '--mail', 'a@example.org, b@example.org');
    await fails(2, /printable/, 'user', 'add', 'bob', '--display-name', 'a\u202eb');
  });

  test('list shows role and source', async () => {
    await ok('user', 'add', 'alice', '--admin');
    const { stdout } = await ok('user', 'list');
    assert.match(
      stdout,
      /^NAME +STATE +PASSWORD +ROLE +SOURCE +CREATED +ID *\nalice +active +none +admin +local /,
    );
  });

  test('role makes an admin and a user again, the last one too', async () => {
    await ok('user', 'add', 'alice');
    assert.match(
      (await ok('user', 'role', 'alice', 'admin')).stderr,
      /^User alice made an admin\.\nWithout a password it cannot sign in: `latchkey user link NAME` .*\n$/,
    );
    const password = await run(['user', 'password', 'alice', '--password-stdin'], 'a long password');
    assert.equal(password.stderr, 'User alice given a new password.\n');
    const again = await ok('user', 'role', 'alice', 'admin');
    assert.equal(again.stderr, 'User alice was made an admin before.\n');
    assert.equal((await json<Shown>('user', 'role', 'alice', 'user'))['role'], 'user');
    await fails(2, /admin or user/, 'user', 'role', 'alice', 'king');
    await fails(3, /no user "bob"/, 'user', 'role', 'bob', 'admin');
  });

  test('link prints where the user chooses a password, another each time', async () => {
    await ok('user', 'add', 'alice');
    const { stdout, stderr } = await ok('user', 'link', 'ALICE');
    assert.match(stdout, /^\/\.latchkey\/password\/[\w-]{43}\n$/);
    assert.match(stderr, /once, within a day/);
    assert.notEqual((await json<Shown>('user', 'link', 'alice'))['path'], stdout.trim());
    await fails(3, /no user "bob"/, 'user', 'link', 'bob');
  });

  test('admin-link is had only while there is no admin who is let in', async () => {
    assert.match((await ok('user', 'admin-link')).stdout, /^\/\.latchkey\/welcome\/[\w-]{43}\n$/);
    await ok('user', 'add', 'alice', '--admin');
    await fails(4, /there is an admin already: .*`latchkey user role NAME admin`/, 'user', 'admin-link');
    await ok('user', 'disable', 'alice');
    await ok('user', 'admin-link');
  });
});

describe('latchkey key', () => {
  const create = (...more: readonly string[]) => ['key', 'create', 'ci', '--expires', '90d', ...more];

  test('create prints the value alone on stdout, and what matters on stderr', async () => {
    const { stdout, stderr } = await ok(...create('--scope', 'users', '--scope', 'tokens'));
    assert.match(stdout, /^lka_[\w-]{43}\n$/);
    assert.match(stderr, /"ci" for users, tokens, id .*, expires \d{4}-.*cannot be shown again/s);
    assert.ok(!stderr.includes(stdout.trim()));
    assert.equal(
      (await ok('key', 'create', 'two', '--expires', 'none', '--scope', 'audit', '--quiet')).stderr,
      '',
    );
  });

  test('list shows keys without their values, with state and scopes', async () => {
    const made = await json<Shown>(...create('--scope', 'audit'));
    const listed = await json<readonly Shown[]>('key', 'list');
    const { value, ...shown } = made;
    assert.deepEqual(listed, [shown]);
    assert.equal(shown['state'], 'active');
    assert.match((await ok('key', 'list')).stdout, /^ID .*\n.* ci +lka_.{4}… +active +audit /);
    assert.ok(!(await ok('key', 'list')).stdout.includes(String(value)));
  });

  test('revoke ends one for good, and its name can be used again', async () => {
    const { id } = await json<Shown>(...create('--scope', 'audit'));
    await fails(4, /already an admin key ci/, ...create('--scope', 'audit'));
    assert.equal((await ok('key', 'revoke', String(id))).stderr, 'Admin key ci is revoked.\n');
    assert.equal((await json<readonly Shown[]>('key', 'list'))[0]?.['state'], 'revoked');
    await ok(...create('--scope', 'audit'));
  });

  test('what cannot be is refused, and a pasted value not repeated', async () => {
    const { stdout } = await ok(...create('--scope', 'audit', '--quiet'));
    const pasted = await run(['key', 'revoke', stdout.trim()]);
    assert.equal(pasted.exitCode, 2);
    assert.ok(!pasted.stderr.includes(stdout.trim()));
    await fails(3, /no such admin key/, 'key', 'revoke', '00000000-0000-7000-8000-000000000000');
    await fails(2, /needs a scope/, 'key', 'create', 'x', '--expires', '1d');
    await fails(
      2,
      /users, tokens, audit or verify/,
      'key',
      'create',
      'x',
      '--expires',
      '1d',
      '--scope',
      'all',
    );
    await fails(2, /--expires/, 'key', 'create', 'x', '--scope', 'users');
    await fails(2, /--expires takes/, 'key', 'create', 'x', '--scope', 'users', '--expires', 'soon');
    await fails(2, /future/, 'key', 'create', 'x', '--scope', 'users', '--expires', '2020-01-01');
    await fails(2, /letters, digits/, 'key', 'create', 'a:b', '--scope', 'users', '--expires', '1d');
  });
});
