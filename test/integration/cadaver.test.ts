import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startApache } from '../support/apache.ts';
import type { Apache } from '../support/apache.ts';
import { run } from '../support/child-process.ts';
import { startGateway } from '../support/gateway.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';

const commands = `mkcol folder
put local.txt folder/a.txt
move folder/a.txt folder/b.txt
copy folder/b.txt folder/c.txt
lock folder/b.txt
discover folder/b.txt
put local.txt folder/b.txt
unlock folder/b.txt
get folder/c.txt fetched.txt
put local.txt folder/gone.txt
delete folder/gone.txt
ls folder
quit
`;

/** Runs the script; the login goes through .netrc as cadaver's manual says. */
async function runCadaver(
  apache: Apache,
  url: string,
  login: { user: string; token: string } | null,
): Promise<void> {
  const scratch = await makeScratch('cadaver');
  try {
    await writeFile(scratch.file('local.txt'), 'from cadaver');
    if (login !== null) {
      await writeFile(
        scratch.file('.netrc'),
        `machine 127.0.0.1 login ${login.user} password ${login.token}\n`,
      );
      await chmod(scratch.file('.netrc'), 0o600);
    }
    const done = await run({
      label: 'cadaver',
      command: 'cadaver',
      args: [url],
      cwd: scratch.path,
      env: { HOME: scratch.path, LANG: 'C' },
      input: commands,
      withinMs: 30_000,
    });
    assert.equal(done.code, 0, done.stdout + done.stderr);
    assert.doesNotMatch(done.stdout, /failed|denied|Could not/i);
    assert.match(done.stdout, /succeeded/);
    assert.match(done.stdout, /c\.txt\s+12/);
    assert.equal(await readFile(scratch.file('fetched.txt'), 'utf8'), 'from cadaver');
    const inFolder = (await readdir(join(apache.folder, 'area', 'folder'))).filter(
      (name) => !name.startsWith('.'),
    );
    assert.deepEqual(inFolder.toSorted(), ['b.txt', 'c.txt'], done.stdout);
  } finally {
    await scratch.remove();
  }
}

describe('cadaver against Apache mod_dav', requireProgram('cadaver', 'apache2'), () => {
  for (const way of ['directly (control)', 'through the gateway'] as const) {
    describe(way, () => {
      let apache: Apache;
      before(async () => {
        apache = await startApache();
        await mkdir(join(apache.folder, 'area'));
        await chmod(join(apache.folder, 'area'), 0o777);
      });
      after(async () => {
        await apache?.stop();
      });

      test('makes, puts, moves, copies, locks, overwrites, unlocks, gets and deletes', async () => {
        if (way === 'directly (control)') {
          await runCadaver(apache, `${apache.url}/dav/area/`, null);
          return;
        }
        const gateway = await startGateway({ backend: apache.url, route: { host: 'backend' } });
        try {
          await gateway.user('alice');
          const token = await gateway.token({ scopes: ['path:/dav/area/:rw'] });
          await runCadaver(apache, `${gateway.url}/dav/area/`, { user: 'alice', token });
        } finally {
          await gateway.stop();
        }
      });
    });
  }
});
