import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { type CommandOutcome, runCommand } from '../support/command-line.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

/** Colours, clears, retitles the window, turns text around, and begins a line of its own. */
const hostile = 'x\u001B[31m\u001B]0;title\u0007\u009B2J\u202Ey\r\nlatchkey: all is well';
const steering = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

let scratch: Scratch;
beforeEach(async () => {
  scratch = await makeScratch('foreign-text');
});
afterEach(() => scratch.remove());

/** What a command printed, which must be lines of printable characters, none of them foreign. */
async function printed(args: readonly string[], cwd = scratch.path): Promise<CommandOutcome> {
  const outcome = await runCommand(args, { cwd });
  for (const text of [outcome.stdout, outcome.stderr]) {
    assert.doesNotMatch(text.replaceAll('\n', ''), steering, args.join(' '));
  }
  return outcome;
}

/** The command fails in one sentence of its own. */
async function refuses(code: number, ...args: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await printed(args);
  assert.equal(exitCode, code, stderr);
  assert.equal(stdout, '');
  assert.doesNotMatch(stderr, /^latchkey: all is well/m);
  return stderr;
}

test('what is wrong on the command line is shown without doing anything to the terminal', async () => {
  await printed(['user', 'add', 'alice']);
  const create = ['token', 'create', '--user', 'alice', '--name', 'phone'];
  const shown = /x\\u001b\[31m\\u001b\]0;title\\u0007\\u009b2J\\u202ey\\u000d\\u000alatchkey: all is well/;
  assert.match(await refuses(2, ...create, '--scope', hostile), shown);
  assert.match(await refuses(2, ...create, '--scope', `path:/a/${hostile}/:r`), shown);
  assert.match(await refuses(2, ...create, '--scope', '*', '--network', hostile), shown);
  assert.match(await refuses(2, ...create, '--scope', '*', '--expires', hostile), shown);
  assert.match(await refuses(2, ...create, '--scope', '*', '--sliding', hostile), shown);
  assert.match(await refuses(3, 'user', 'disable', hostile), shown);
  await printed(['user', 'list', `--${hostile}`]);
  await printed([hostile]);
});

test('names that would steer a terminal or a page are not kept', async () => {
  await printed(['user', 'add', 'alice']);
  const create = ['token', 'create', '--user', 'alice', '--scope', '*'];
  for (const character of [
    '\u0000',
    '\u0007',
    '\n',
    '\u001B',
    '\u007F',
    '\u009B',
    '\u202E',
    '\u2028',
    '\u200B',
  ]) {
    await refuses(2, 'user', 'add', `a${character}b`);
    await refuses(2, ...create, '--name', `a${character}b`);
  }
});

test('what is wrong with a configuration is shown without doing anything to the terminal', async () => {
  const file = scratch.file('latchkey.yaml');
  const quoted = JSON.stringify(hostile);
  await writeFile(
    file,
    `${quoted}: 1\nbackend: ${quoted}\nlog: { level: ${quoted} }\npeppers: [{ id: ${quoted}, secret: { fromFile: ${quoted} } }]\n`,
  );
  assert.match(await refusalOf(['config', 'check']), /4 problems|5 problems|3 problems/);
  await printed(['config', 'check', '--json']);
  await printed(['config', 'show']);
  await printed(['doctor']);
});

/** Whatever else it prints, every line of stderr is one of ours. */
async function refusalOf(args: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await printed(args);
  assert.equal(exitCode, 2, stderr);
  assert.doesNotMatch(stderr, /^latchkey: all is well/m);
  return stderr;
}

test('paths and file names are shown without doing anything to the terminal', async () => {
  const folder = scratch.file(hostile.replaceAll('/', ''));
  await mkdir(folder);
  await writeFile(`${folder}/latchkey.yaml`, 'backend: http://127.0.0.1:9\n');
  for (const args of [
    ['config', 'check'],
    ['config', 'show'],
    ['user', 'add', 'alice'],
    ['user', 'list', '--json'],
    ['--config', hostile, 'config', 'check'],
    ['--store', `sqlite:${hostile}\u0001`, 'user', 'list'],
  ]) {
    const { stdout, stderr } = await printed(args, folder);
    assert.doesNotMatch(stdout + stderr, /^latchkey: all is well/m);
  }
});

test('what clients sent and is kept is shown without doing anything to the terminal, as data too', async () => {
  await printed(['user', 'add', 'alice']);
  const create = ['token', 'create', '--user', 'alice', '--scope', '*', '--name', 'phone', '--json'];
  const { id } = JSON.parse((await printed(create)).stdout) as { readonly id: string };
  const database = new DatabaseSync(scratch.file('data', 'latchkey.db'));
  database.prepare('UPDATE tokens SET last_used_at = 1, last_used_client = ?').run(hostile);
  database.close();
  assert.match((await printed(['token', 'show', id])).stdout, /\\u001b\[31m/);
  const { stdout } = await printed(['token', 'show', id, '--json']);
  assert.equal((JSON.parse(stdout) as { readonly lastUsedClient: string }).lastUsedClient, hostile);
});
