import assert from 'node:assert/strict';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { runCommand, type CommandOutcome } from '../support/command-line.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch('doctor-pepper');
});
afterEach(() => scratch.remove());

const run = (...args: readonly string[]): Promise<CommandOutcome> => runCommand(args, { cwd: scratch.path });

/** The doctor's line about the pepper; the backend that nobody serves has its own. */
async function pepperLine(): Promise<string> {
  const { stdout } = await run('doctor', '--backend', 'http://127.0.0.1:1');
  return stdout.split('\n').find((line) => / {2}pepper /.test(line)) ?? '';
}

async function makeToken(): Promise<void> {
  await run('user', 'add', 'alice');
  const made = await run('token', 'create', '--user', 'alice', '--name', 'phone', '--scope', '*');
  assert.equal(made.exitCode, 0, made.stderr);
}

test('the doctor finds the pepper of the tokens', async () => {
  await makeToken();
  assert.match(await pepperLine(), /^ok {4}pepper \S+data\/pepper: understands every token of the store$/);
});

test('the doctor says that a first start will make the pepper, and makes nothing', async () => {
  assert.match(await pepperLine(), /^ok {4}pepper \S+: will be made at the first start$/);
  assert.deepEqual(await readdir(scratch.path), []);
  await run('user', 'add', 'alice');
  assert.match(await pepperLine(), /^ok {4}pepper \S+: will be made at the first start$/);
  assert.ok(!(await readdir(scratch.file('data'))).includes('pepper'));
});

test('the doctor fails where the tokens lack their pepper, and makes none', async () => {
  await makeToken();
  await rm(scratch.file('data', 'pepper'));
  assert.match(await pepperLine(), /^fail {2}pepper \S+: .*is missing: put it back/);
  assert.ok(!(await readdir(scratch.file('data'))).includes('pepper'));
});

test('the doctor fails where the pepper is damaged, also before there is a store', async () => {
  await mkdir(scratch.file('data'), { mode: 0o700 });
  await writeFile(scratch.file('data', 'pepper'), 'damaged', { mode: 0o600 });
  assert.match(await pepperLine(), /^fail {2}pepper \S+: .*is damaged/);
  assert.deepEqual(await readdir(scratch.file('data')), ['pepper']);
});

test('the doctor fails where the pepper cannot be read', async () => {
  await mkdir(scratch.file('data', 'pepper'), { recursive: true, mode: 0o700 });
  assert.match(await pepperLine(), /^fail {2}pepper \S+: .*cannot be read: check its permissions/);
});

test('another secret under the id of a pepper is taken only while no token was made with the former', async () => {
  const configure = (letter: string): Promise<void> => writeFile(scratch.file('secret'), letter.repeat(40));
  await writeFile(
    scratch.file('latchkey.yaml'),
    'backend: http://127.0.0.1:1\npeppers: [{ id: shared, secret: { fromFile: secret } }]\n',
  );
  await configure('a');
  await run('user', 'add', 'alice');
  const create = (name: string): Promise<CommandOutcome> =>
    run('token', 'create', '--user', 'alice', '--name', name, '--scope', '*');
  assert.equal((await create('with a')).exitCode, 0);
  assert.equal((await run('token', 'revoke', '--user', 'alice', '--all')).exitCode, 0);
  await configure('b');
  assert.equal((await create('with b')).exitCode, 0);
  await configure('c');
  const refused = await create('with c');
  assert.equal(refused.exitCode, 1);
  assert.match(
    refused.stderr,
    /has seen another secret under the pepper "shared".*give every gateway the same/,
  );
  const { stdout } = await run('doctor');
  assert.match(stdout, /^fail {2}peppers: .*another secret under the pepper "shared"/m);
});
