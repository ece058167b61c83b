import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startApache } from '../support/apache.ts';
import type { Apache } from '../support/apache.ts';
import { run } from '../support/child-process.ts';
import { type GuardedApache, startGuardedApache } from '../support/guarded-apache.ts';
import { requireDevice, requireProgram } from '../support/requirement.ts';
import type { Requirement } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';

function requireMounting(): Requirement {
  const device = requireDevice('/dev/fuse');
  if (device.skip !== false) return device;
  if (process.getuid?.() !== 0) return { skip: 'only root may mount' };
  return requireProgram('mount.davfs', 'umount', 'apache2');
}

/** Mounts, works and unmounts, which waits until everything is uploaded. */
async function workInMount(url: string, login: { user: string; token: string }): Promise<void> {
  const scratch = await makeScratch('davfs2');
  const mount = scratch.file('mount');
  await mkdir(mount);
  await mkdir(scratch.file('cache'));
  // The daemon drops its rights to the user davfs2.
  await chmod(scratch.file('cache'), 0o777);
  await writeFile(scratch.file('secrets'), `${url} ${login.user} ${login.token}\n`, { mode: 0o600 });
  await writeFile(
    scratch.file('davfs2.conf'),
    `secrets ${scratch.file('secrets')}
cache_dir ${scratch.file('cache')}
ask_auth 0
use_locks 1
delay_upload 0
`,
  );
  const mounted = await run({
    label: 'mount.davfs',
    command: 'mount.davfs',
    args: [url, mount, '-o', `conf=${scratch.file('davfs2.conf')},rw`],
    withinMs: 30_000,
  });
  assert.equal(mounted.code, 0, mounted.stderr);
  try {
    await work(mount);
  } finally {
    const unmounted = await run({ label: 'umount', command: 'umount', args: [mount], withinMs: 60_000 });
    assert.equal(unmounted.code, 0, unmounted.stderr);
    await scratch.remove();
  }
}

/** Lists no folder: davfs2 1.6 cannot under recent kernels, with any server. */
async function work(mount: string): Promise<void> {
  await writeFile(join(mount, 'first.txt'), 'written');
  await rename(join(mount, 'first.txt'), join(mount, 'renamed.txt'));
  await mkdir(join(mount, 'folder'));
  await writeFile(join(mount, 'folder', 'big.bin'), Buffer.alloc(3_000_000, 7));
  await writeFile(join(mount, 'folder', 'gone.txt'), 'gone');
  await rm(join(mount, 'folder', 'gone.txt'));
  assert.equal((await stat(join(mount, 'folder', 'big.bin'))).size, 3_000_000);
  assert.equal(await readFile(join(mount, 'renamed.txt'), 'utf8'), 'written');
  await assert.rejects(stat(join(mount, 'folder', 'gone.txt')), { code: 'ENOENT' });
}

async function assertUploaded(apache: Apache): Promise<void> {
  const visible = async (folder: string): Promise<string[]> =>
    (await readdir(folder)).filter((name) => !name.startsWith('.') && name !== 'lost+found').toSorted();
  assert.deepEqual(await visible(apache.folder), ['folder', 'renamed.txt']);
  assert.deepEqual(await visible(join(apache.folder, 'folder')), ['big.bin']);
  assert.deepEqual(await readFile(join(apache.folder, 'folder', 'big.bin')), Buffer.alloc(3_000_000, 7));
}

describe('a davfs2 mount of Apache mod_dav', requireMounting(), () => {
  test('writes, renames and deletes directly (control)', async () => {
    const account = { user: 'alice', password: 'backend-password' };
    const apache = await startApache({ account });
    try {
      await workInMount(`${apache.url}/dav/`, { user: account.user, token: account.password });
      await assertUploaded(apache);
    } finally {
      await apache.stop();
    }
  });

  describe('through the gateway', () => {
    let guarded: GuardedApache;
    before(async () => {
      guarded = await startGuardedApache();
    });
    after(() => guarded?.stop());

    test('writes, renames and deletes with a folder token, locks included', async () => {
      const token = await guarded.gateway.token({ scopes: ['path:/dav/:rw'] });
      await workInMount(`${guarded.gateway.url}/dav/`, { user: 'alice', token });
      await assertUploaded(guarded.apache);
      const methods = new Set((await guarded.apache.accessLog()).map(({ method }) => method));
      for (const method of ['LOCK', 'PUT', 'UNLOCK', 'MOVE', 'MKCOL', 'DELETE']) {
        assert.ok(methods.has(method), `${method} reached Apache`);
      }
    });
  });
});
