import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { isWellFormed } from '../../src/tokens/mint.ts';
import { runCommand, type CommandOutcome } from '../support/command-line.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

interface ShownToken {
  readonly id: string;
  readonly value: string;
  readonly state: string;
  readonly [field: string]: unknown;
}

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch('token-cli');
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

const create = (...more: readonly string[]) => [
  'token',
  'create',
  '--user',
  'alice',
  '--name',
  'phone',
  ...more,
];

describe('latchkey user', () => {
  test('repeats no token and no control characters that stand where a name belongs', async () => {
    await ok('user', 'add', 'alice');
    const { stdout: value } = await ok(...create('--scope', '*', '--quiet'));
    const pasted = await run(['user', 'disable', value.trim()]);
    assert.equal(pasted.exitCode, 3);
    assert.ok(!pasted.stderr.includes(value.trim()));
    assert.match(pasted.stderr, /no user of that name, which is a token/);
    await fails(3, /no user "a\\u001b\[31mb"/, 'user', 'disable', 'a\u001B[31mb');
  });

  test('add refuses the value of a token as a name, and does not repeat it', async () => {
    await ok('user', 'add', 'alice');
    const value = (await ok(...create('--scope', '*', '--quiet'))).stdout.trim();
    for (const name of [value, `my ${value}`]) {
      const pasted = await run(['user', 'add', name]);
      assert.equal(pasted.exitCode, 2);
      assert.match(pasted.stderr, /holds the value of a token.*revoke that token/);
      assert.ok(!pasted.stderr.includes(value));
    }
    assert.equal((await json<unknown[]>('user', 'list')).length, 1);
  });

  test('says which store it made, the first time and no other', async () => {
    const made = `latchkey: there was no store yet; made ${scratch.file('data', 'latchkey.db')}.\n`;
    assert.equal((await ok('user', 'add', 'alice')).stderr, `${made}User alice added.\n`);
    assert.equal((await ok('user', 'add', 'bob')).stderr, 'User bob added.\n');
  });

  test('adds, lists, disables, enables and removes', async () => {
    await ok('user', 'add', 'Alice');
    assert.match((await ok('user', 'list')).stdout, /^NAME .*\nAlice +active +none /);
    await ok('user', 'disable', 'alice');
    assert.match((await ok('user', 'list')).stdout, /Alice +disabled/);
    assert.match((await ok('user', 'disable', 'alice')).stderr, /was disabled before/);
    await ok('user', 'enable', 'ALICE');
    await ok('user', 'remove', 'alice', '--yes');
    assert.deepEqual(await json('user', 'list'), []);
  });

  test('remove wants a yes: at the terminal, or as --yes where there is none', async () => {
    await ok('user', 'add', 'alice');
    await fails(4, /alice revokes all its tokens.*--yes/, 'user', 'remove', 'alice');
    await fails(3, /no user "bob"/, 'user', 'remove', 'bob');
    const atTerminal = (confirms: boolean, ...more: readonly string[]): Promise<CommandOutcome> =>
      runCommand(['user', 'remove', 'alice', ...more], { cwd: scratch.path, interactive: true, confirms });
    const declined = await atTerminal(false);
    assert.deepEqual([declined.exitCode, declined.stderr], [4, 'latchkey: nothing was removed.\n']);
    assert.match((await atTerminal(true, '--no-input')).stderr, /confirm it with --yes/);
    assert.equal((await json<unknown[]>('user', 'list')).length, 1);
    assert.equal((await atTerminal(true)).stderr, 'User alice removed.\n');
    assert.deepEqual(await json('user', 'list'), []);
  });

  test('reads a password from standard input and shows it nowhere', async () => {
    const added = await run(['user', 'add', 'alice', '--password-stdin', '--json'], 'correct horse\n');
    assert.equal(added.exitCode, 0);
    assert.equal((JSON.parse(added.stdout) as { hasPassword: boolean }).hasPassword, true);
    const changed = await run(['user', 'password', 'alice', '--password-stdin'], 'battery staple');
    assert.equal(changed.exitCode, 0, changed.stderr);
    const all = JSON.stringify([added, changed, await ok('user', 'list', '--json')]);
    assert.ok(!/correct|battery|argon2/.test(all));
  });

  test('refuses what cannot be, with the documented exit codes', async () => {
    await ok('user', 'add', 'alice');
    await fails(4, /ALICE cannot be added: .*already the user alice/, 'user', 'add', 'ALICE');
    await fails(2, /cannot hold/, 'user', 'add', 'a:b');
    const short = await run(['user', 'add', 'bob', '--password-stdin'], 'short');
    assert.equal(short.exitCode, 2);
    assert.match(short.stderr, /at least 8/);
    await fails(2, /standard input/, 'user', 'add', 'bob', '--password-stdin');
    await fails(3, /no user "bob".*user list/, 'user', 'disable', 'bob');
    await fails(2, /./, 'user', 'fly', 'bob');
  });
});

describe('latchkey token', () => {
  beforeEach(() => ok('user', 'add', 'alice'));

  test('create prints the value alone on stdout, and what matters on stderr', async () => {
    const { stdout, stderr } = await ok(...create('--scope', '*', '--expires', '30d'));
    assert.ok(isWellFormed(stdout.trimEnd()));
    assert.match(stderr, /"phone" of alice, id .*, expires \d{4}-\d\d-\d\d /);
    assert.match(stderr, /cannot be shown again/);
    assert.ok(!stderr.includes(stdout.trim()));
  });

  test('create --quiet says nothing else, --json everything at once', async () => {
    const quiet = await ok(...create('--scope', '*', '--quiet'));
    assert.ok(isWellFormed(quiet.stdout.trimEnd()));
    assert.equal(quiet.stderr, '');
    const made = await json<ShownToken>(...create('--scope', 'path:/dav/{user}/:rw'));
    assert.ok(isWellFormed(made.value));
    assert.deepEqual(made['scopes'], ['path:/dav/alice/:rw']);
    assert.equal(made['expiresAt'], null);
  });

  test('create takes every setting', async () => {
    const made = await json<ShownToken>(
      ...create(
        '--scope',
        'path:/a/:r',
        '--scope',
        'route:cal:rw',
        '--sliding',
        '7d',
        '--until',
        '2099-12-31',
      ),
      ...['--not-before', '2026-01-01', '--network', '192.0.2.0/24', '--network', '::1'],
      ...['--delete-unused-after', '90d'],
    );
    const { scopes, slidingMs, until, notBefore, networks, deleteUnusedMs } = made;
    assert.deepEqual(
      { scopes, slidingMs, until, notBefore, networks, deleteUnusedMs },
      {
        scopes: ['path:/a/:r', 'route:cal:rw'],
        slidingMs: 7 * 86_400_000,
        // The day named is included: its end, and the start of the other, are those of the place.
        until: new Date(2100, 0, 1).toISOString(),
        notBefore: new Date(2026, 0, 1).toISOString(),
        networks: ['192.0.2.0/24', '::1/128'],
        deleteUnusedMs: 90 * 86_400_000,
      },
    );
  });

  test('create refuses what cannot be, naming the option or the rule', async () => {
    await fails(2, /needs a scope: give \*/, ...create());
    await fails(3, /no user "bob"/, 'token', 'create', '--user', 'bob', '--name', 'x', '--scope', '*');
    await fails(2, /--expires takes/, ...create('--scope', '*', '--expires', 'soon'));
    await fails(2, /--expires takes/, ...create('--scope', '*', '--expires', '30'));
    await fails(2, /--expires takes/, ...create('--scope', '*', '--expires', '2099-02-30T10:00'));
    await fails(2, /--until takes/, ...create('--scope', '*', '--sliding', '7d', '--until', '2027-02-30'));
    await fails(2, /future/, ...create('--scope', '*', '--expires', '2020-01-01'));
    await fails(2, /--until/, ...create('--scope', '*', '--sliding', '7d', '--expires', '30d'));
    await fails(2, /five minutes/, ...create('--scope', '*', '--sliding', '10s'));
    await fails(2, /Network/, ...create('--scope', '*', '--network', 'home'));
    await fails(2, /Scope "fly"/, ...create('--scope', 'fly'));
    await ok('user', 'disable', 'alice');
    await fails(4, /alice is disabled or removed: .*`latchkey user enable`/, ...create('--scope', '*'));
  });

  test('create and edit warn of a scope for a route that the configuration does not know', async () => {
    const scopes = ['--scope', 'route:files:rw', '--scope', 'route:nosuch:r'];
    // Without routes there is nothing to compare with.
    assert.equal((await ok(...create(...scopes, '--quiet'))).stderr, '');
    const routes =
      '[{ name: files, backend: "http://a" }, { name: cal, match: { path: /cal/ }, backend: "http://b" }]';
    await writeFile(scratch.file('latchkey.yaml'), `routes: ${routes}\n`);
    const made = await run(create(...scopes, '--json'));
    assert.equal(made.exitCode, 0);
    const warning =
      'latchkey: the configuration has no route "nosuch", so route:nosuch:r allows nothing: its routes are files, cal.\n';
    assert.equal(made.stderr, warning);
    const { id } = JSON.parse(made.stdout) as ShownToken;
    assert.equal((await ok('token', 'edit', id, ...scopes)).stderr, warning);
    assert.equal((await ok('token', 'edit', id, '--scope', 'route:cal:r')).stderr, '');
  });

  test('list and show tell everything but the value', async () => {
    const { value, id } = await json<ShownToken>(...create('--scope', '*'));
    const list = await ok('token', 'list', '--user', 'Alice');
    assert.match(list.stdout, new RegExp(`^ID .*\n${id} +alice +phone +active +never +never +\\*\n$`));
    const shown = await ok('token', 'show', id);
    assert.match(shown.stdout, /begins with +lk_/);
    const all = [list.stdout, shown.stdout, (await ok('token', 'list', '--json')).stdout].join();
    assert.ok(!all.includes(value) && !all.includes(value.slice(8)));
    assert.ok(!all.includes('digest'));
    await fails(3, /no token/, 'token', 'show', '00000000-0000-7000-8000-000000000000');
  });

  test('a token given in place of its id is not repeated', async () => {
    const { value } = await json<ShownToken>(...create('--scope', '*'));
    for (const verb of ['show', 'rotate', 'revoke', 'disable']) {
      const ran = await run(['token', verb, value]);
      assert.equal(ran.exitCode, 2);
      assert.ok(!ran.stderr.includes(value));
    }
  });

  test('edit changes what is given and takes limits away with none', async () => {
    const { id } = await json<ShownToken>(...create('--scope', '*', '--expires', '30d', '--network', '::1'));
    const edited = await json<ShownToken>(
      ...['token', 'edit', id, '--name', 'tablet', '--expires', 'none', '--network', 'none'],
    );
    assert.equal(edited['name'], 'tablet');
    assert.equal(edited['expiresAt'], null);
    assert.deepEqual(edited['networks'], []);
    assert.deepEqual(edited['scopes'], ['*']);
    await fails(2, /nothing to change/, 'token', 'edit', id);
  });

  test('rotate gives a new value to the same token', async () => {
    const first = await json<ShownToken>(...create('--scope', '*'));
    const second = await json<ShownToken>('token', 'rotate', first.id);
    assert.equal(second.id, first.id);
    assert.notEqual(second.value, first.value);
    assert.ok(isWellFormed((await ok('token', 'rotate', first.id, '--quiet')).stdout.trimEnd()));
  });

  test('disable, enable and revoke', async () => {
    const { id } = await json<ShownToken>(...create('--scope', '*'));
    assert.equal((await json<ShownToken>('token', 'disable', id)).state, 'disabled');
    assert.equal((await json<ShownToken>('token', 'enable', id)).state, 'active');
    assert.equal((await ok('token', 'revoke', id)).stdout, `${id}\n`);
    assert.equal((await json<ShownToken>('token', 'show', id)).state, 'revoked');
    assert.deepEqual(await json('token', 'list'), []);
    assert.equal((await json<ShownToken[]>('token', 'list', '--all')).length, 1);
    await fails(4, /revoked/, 'token', 'enable', id);
    assert.deepEqual(await json('token', 'revoke', id), { revoked: [] });
  });

  test('revoke takes several ids, and none where one of them is unknown', async () => {
    const [first, second] = [
      await json<ShownToken>(...create('--scope', '*')),
      await json<ShownToken>(...create('--scope', '*')),
    ];
    await fails(
      3,
      /nothing was revoked/,
      'token',
      'revoke',
      first.id,
      '00000000-0000-7000-8000-000000000000',
    );
    assert.equal((await json<ShownToken>('token', 'show', first.id)).state, 'active');
    const ran = await json<{ revoked: string[] }>('token', 'revoke', first.id, second.id, first.id);
    assert.deepEqual(ran.revoked, [first.id, second.id]);
  });

  test('revoke --all and --unused-for reach whom they name', async () => {
    await ok('user', 'add', 'bob');
    const bobs = await json<ShownToken>('token', 'create', '--user', 'bob', '--name', 'b', '--scope', '*');
    await ok(...create('--scope', '*'));
    await ok(...create('--scope', '*'));
    assert.deepEqual(await json('token', 'revoke', '--unused-for', '1d'), { revoked: [] });
    const ran = await json<{ revoked: string[] }>('token', 'revoke', '--user', 'alice', '--all');
    assert.equal(ran.revoked.length, 2);
    assert.equal((await json<ShownToken>('token', 'show', bobs.id)).state, 'active');
    assert.equal(
      (await json<{ revoked: string[] }>('token', 'revoke', '--unused-for', '0s')).revoked.length,
      1,
    );
  });

  test('revoke wants one way of naming', async () => {
    const id = '00000000-0000-7000-8000-000000000000';
    for (const args of [
      [],
      ['--all'],
      ['--user', 'alice'],
      [id, '--all'],
      [id, '--user', 'alice'],
      ['--user', 'alice', '--all', '--unused-for', '1d'],
      ['--unused-for', 'none'],
    ]) {
      await fails(2, /--unused-for/, 'token', 'revoke', ...args);
    }
  });

  test('a store that cannot be opened ends with 1 and a sentence', async () => {
    await writeFile(scratch.file('data', 'note'), '');
    await fails(
      1,
      /its folder is a file; name another/,
      'token',
      'list',
      '--store',
      `sqlite:${scratch.path}/data/note/x`,
    );
  });
});
