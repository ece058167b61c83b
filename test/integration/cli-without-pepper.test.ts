import assert from 'node:assert/strict';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { runCommand, type CommandOutcome } from '../support/command-line.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch('cli-without-pepper');
});
afterEach(() => scratch.remove());

const env = {
  BACKEND_PASSWORD: 'secret of the backend',
  BACKEND_SHARED: 'another',
  PEPPER: 'p'.repeat(32),
  REDIS_PASSWORD: 'secret of Redis',
};

const run = (args: readonly string[], variables: Readonly<Record<string, string>> = {}) =>
  runCommand(args, { cwd: scratch.path, env: variables });

async function ok(
  args: readonly string[],
  variables?: Readonly<Record<string, string>>,
): Promise<CommandOutcome> {
  const ran = await run(args, variables);
  assert.equal(ran.exitCode, 0, `${args.join(' ')}: ${ran.stderr}`);
  return ran;
}

const create = ['token', 'create', '--user', 'alice', '--name', 'phone', '--scope', '*', '--json'];

async function seed(variables: Readonly<Record<string, string>> = {}): Promise<string> {
  await ok(['user', 'add', 'alice'], variables);
  const { id } = JSON.parse((await ok(create, variables)).stdout) as { readonly id: string };
  return id;
}

/** Every command that cuts off or shows, in an order in which each has something to do. */
async function cutsOff(id: string, variables?: Readonly<Record<string, string>>): Promise<void> {
  await ok(['token', 'list'], variables);
  await ok(['token', 'edit', id, '--name', 'tablet'], variables);
  await ok(['token', 'disable', id], variables);
  assert.equal((await ok(['token', 'revoke', id], variables)).stdout, `${id}\n`);
  await ok(['token', 'show', id], variables);
  await ok(['user', 'disable', 'alice'], variables);
  await ok(['user', 'list'], variables);
}

describe('tokens can be cut off', () => {
  test('where the pepper file is missing; making one says where it belongs', async () => {
    const id = await seed();
    await rm(scratch.file('data', 'pepper'));
    const made = await run(create);
    assert.equal(made.exitCode, 1);
    assert.match(made.stderr, /pepper file .*missing: put it back.*stop every gateway, then move/);
    assert.equal((await run(['token', 'rotate', id])).exitCode, 1);
    await cutsOff(id);
    await assert.rejects(readFile(scratch.file('data', 'pepper')), { code: 'ENOENT' });
  });

  test('where the pepper file is damaged', async () => {
    const id = await seed();
    await writeFile(scratch.file('data', 'pepper'), 'damaged');
    const made = await run(create);
    assert.equal(made.exitCode, 1);
    assert.match(made.stderr, /damaged/);
    await cutsOff(id);
  });

  test('where secrets of routes, of peppers and the key of assertions cannot be read', async () => {
    await writeFile(
      scratch.file('latchkey.yaml'),
      [
        'peppers: [{ id: p, secret: { fromEnv: PEPPER } }]',
        'routes:',
        '  - name: files',
        '    match: { path: /files/ }',
        '    backend: https://127.0.0.1:1',
        '    backendAuth: { serviceAccount: { user: us, password: { fromEnv: BACKEND_PASSWORD } } }',
        '  - name: rest',
        '    match: { path: /rest/ }',
        '    backend: http://127.0.0.1:1',
        '    kind: rest',
        '    backendAuth: { sharedSecret: { fromEnv: BACKEND_SHARED } }',
      ].join('\n'),
    );
    const id = await seed(env);
    await writeFile(
      scratch.file('latchkey.yaml'),
      `${await readFile(scratch.file('latchkey.yaml'), 'utf8')}\nassertionKey: { fromFile: gone }\n`,
    );
    const made = await run(create);
    assert.equal(made.exitCode, 1);
    assert.match(made.stderr, /without the pepper: .*peppers\[0\]\.secret: .*PEPPER is not set/);
    // Secrets of routes do not matter even to those who make tokens.
    await ok(create, { PEPPER: env.PEPPER });
    await cutsOff(id);
    assert.match(
      (await run(['config', 'check'], env)).stderr,
      /assertionKey: the file .*gone does not exist/,
    );
  });

  test('where Redis cannot be told, which is said', async () => {
    await writeFile(
      scratch.file('latchkey.yaml'),
      'redis: { nodes: ["127.0.0.1:1"], password: { fromEnv: REDIS_PASSWORD } }\n',
    );
    const id = await seed();
    const off = await ok(['token', 'disable', id]);
    assert.match(off.stderr, /not announced through Redis; .*redis\.password: .*REDIS_PASSWORD is not set/);
    await rm(scratch.file('data', 'pepper'));
    const revoked = await ok(['token', 'revoke', id], { REDIS_PASSWORD: env.REDIS_PASSWORD });
    assert.match(revoked.stderr, /not announced through Redis; .*pepper file .*missing/);
  });
});

test('tokens can be cut off where the file with the URL of Redis cannot be read', async () => {
  const id = await seed();
  const variables = { LATCHKEY_REDIS_FILE: scratch.file('gone') };
  const revoked = await ok(['token', 'revoke', id], variables);
  assert.match(
    revoked.stderr,
    /not announced through Redis; .*LATCHKEY_REDIS_FILE.*gone, which does not exist/,
  );
  const checked = await run(['config', 'check', '--backend', 'http://127.0.0.1:1'], variables);
  assert.equal(checked.exitCode, 1);
});

test('commands that make no token make no pepper', async () => {
  await ok(['user', 'add', 'alice']);
  await ok(['token', 'list']);
  await assert.rejects(readFile(scratch.file('data', 'pepper')), { code: 'ENOENT' });
});
