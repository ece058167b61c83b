import assert from 'node:assert/strict';
import { mkdir, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startApache } from '../support/apache.ts';
import type { Apache } from '../support/apache.ts';
import { run } from '../support/child-process.ts';
import type { Finished } from '../support/child-process.ts';
import { endAll } from '../support/end-all.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';
import type { Scratch } from '../support/scratch.ts';

const GiB = 1024 ** 3;

type Rclone = (...args: readonly string[]) => Promise<Finished>;

/** rclone with one remote `dav:`, its password obscured as `rclone config` would. */
async function rclone(
  scratch: Scratch,
  url: string,
  login: { user: string; token: string } | null,
): Promise<Rclone> {
  const call = (env: Readonly<Record<string, string>>, args: readonly string[]): Promise<Finished> =>
    run({
      label: `rclone ${args.join(' ')}`,
      command: 'rclone',
      args: ['--config', scratch.file('rclone.conf'), '--retries', '1', '--low-level-retries', '1', ...args],
      env,
    });
  const env: Record<string, string> = {
    RCLONE_CONFIG_DAV_TYPE: 'webdav',
    RCLONE_CONFIG_DAV_VENDOR: 'other',
    RCLONE_CONFIG_DAV_URL: url,
  };
  if (login !== null) {
    env['RCLONE_CONFIG_DAV_USER'] = login.user;
    env['RCLONE_CONFIG_DAV_PASS'] = (await call({}, ['obscure', login.token])).stdout.trim();
  }
  return async (...args) => {
    const done = await call(env, args);
    assert.equal(done.code, 0, `rclone ${args.join(' ')}: ${done.stderr}`);
    return done;
  };
}

async function fillFolder(folder: string, files: number): Promise<void> {
  for (let index = 0; index < files; index += 1) {
    const inner = join(folder, `set ${index % 10}`);
    if (index < 10) await mkdir(inner, { recursive: true });
    await writeFile(
      join(inner, `Ümlaut & # 100% ${index}.bin`),
      Buffer.alloc((index * 37) % 9_000, index % 251),
    );
  }
}

async function copySyncCheck(dav: Rclone, source: string, files: number): Promise<void> {
  await dav('copy', '--transfers', '8', source, 'dav:copied');
  const listed = await dav('lsf', '-R', '--files-only', 'dav:copied');
  assert.equal(listed.stdout.trim().split('\n').length, files);
  await dav('check', '--download', source, 'dav:copied');

  const [first = ''] = await readdir(join(source, 'set 0'));
  await rm(join(source, 'set 0', first));
  await writeFile(join(source, 'set 1', 'new.txt'), 'new');
  await dav('sync', source, 'dav:copied');
  await dav('check', source, 'dav:copied');
  await dav('moveto', 'dav:copied/set 1/new.txt', 'dav:copied/set 2/moved.txt');
  assert.match((await dav('lsf', 'dav:copied/set 2')).stdout, /^moved\.txt$/m);
  await dav('purge', 'dav:copied');
}

describe('rclone against Apache mod_dav', requireProgram('rclone', 'apache2'), () => {
  let scratch: Scratch;
  let apache: Apache;
  before(async () => {
    scratch = await makeScratch('rclone');
    apache = await startApache();
    await writeFile(scratch.file('rclone.conf'), '');
  });
  after(() =>
    endAll(
      () => apache?.stop(),
      () => scratch?.remove(),
    ),
  );

  test('copies, syncs and checks 20 files directly (control)', async () => {
    const source = scratch.file('control');
    await fillFolder(source, 20);
    await copySyncCheck(await rclone(scratch, `${apache.url}/dav/`, null), source, 20);
  });

  describe('through the gateway', () => {
    let gateway: Gateway;
    let dav: Rclone;
    before(async () => {
      gateway = await startGateway({ backend: apache.url, route: { host: 'backend' } });
      await gateway.user('alice');
      const token = await gateway.token();
      dav = await rclone(scratch, `${gateway.url}/dav/`, { user: 'alice', token });
    });
    after(async () => {
      await gateway?.stop();
    });

    test('copies, syncs, checks and purges 1,000 files', async () => {
      const source = scratch.file('source');
      await fillFolder(source, 1_000);
      await copySyncCheck(dav, source, 1_000);
    });

    test('copies one file of 1 GiB up and down again unchanged', async () => {
      const big = scratch.file('big.bin');
      await writeFile(big, 'begin');
      await truncate(big, GiB);
      await dav('copyto', big, 'dav:big.bin');
      assert.equal((await stat(join(apache.folder, 'big.bin'))).size, GiB);
      await mkdir(scratch.file('one'));
      await dav('check', '--download', '--one-way', '--include', 'big.bin', scratch.path, 'dav:');
      await dav('deletefile', 'dav:big.bin');
    });

    test('stores its token so that a login with it works: 45 characters survive rclone config', async () => {
      const conf = scratch.file('made.conf');
      const made = await run({
        label: 'rclone config create',
        command: 'rclone',
        args: [
          ...['--config', conf, 'config', 'create', 'made', 'webdav', 'vendor', 'other'],
          ...['url', `${gateway.url}/dav/`, 'user', 'alice', 'pass', await gateway.token()],
        ],
      });
      assert.equal(made.code, 0, made.stderr);
      const listed = await run({
        label: 'rclone lsf',
        command: 'rclone',
        args: ['--config', conf, 'lsf', 'made:'],
      });
      assert.equal(listed.code, 0, listed.stderr);
    });
  });
});
