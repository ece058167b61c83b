import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../../support/child-process.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

const binary = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
/** Tells on stderr, at the end, every module that was loaded. */
const spy = `data:text/javascript,${encodeURIComponent(`
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) });
  process.on('exit', () => process.stderr.write(loaded.join('\\n')));
`)}`;

let scratch: Scratch;
before(async () => {
  scratch = await makeScratch('loaded-modules');
});
after(() => scratch.remove());

/** The npm packages that a command loads. */
async function packagesOf(...args: readonly string[]): Promise<ReadonlySet<string>> {
  const done = await run({
    label: args.join(' '),
    command: process.execPath,
    args: ['--import', spy, binary, ...args],
    cwd: scratch.path,
  });
  assert.equal(done.code, 0, done.stderr);
  return new Set(
    [...done.stderr.matchAll(/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)].map(([, name]) => name ?? ''),
  );
}

test('help and version load the command line alone', async () => {
  assert.deepEqual([...(await packagesOf('--version'))], ['commander']);
  assert.deepEqual([...(await packagesOf('token', 'create', '--help'))], ['commander']);
});

test('commands on the store load nothing that forwards, measures, hashes passwords or talks to Redis', async () => {
  await packagesOf('user', 'add', 'alice');
  const allowed = ['commander', 'lru-cache', 'yaml', 'zod'];
  for (const args of [
    ['token', 'list'],
    ['user', 'list'],
    ['token', 'create', '--user', 'alice', '--name', 'phone', '--scope', '*', '--quiet'],
  ]) {
    assert.deepEqual([...(await packagesOf(...args))].toSorted(), allowed, args.join(' '));
  }
});
