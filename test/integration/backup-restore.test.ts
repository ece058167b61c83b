import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createSqliteContents } from '../../src/storage/sqlite/contents.ts';
import { startChild } from '../support/child-process.ts';
import { runCommand, type CommandOutcome } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import { allRows, fillWith, sampleContents } from '../support/sample-contents.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const sample = sampleContents(2_000);
let scratch: Scratch;
before(async () => {
  scratch = await makeScratch('backup-restore');
  await mkdir(scratch.file('filled'));
  await fillWith(contentsOf('filled/latchkey.db'), sample);
});
after(() => scratch.remove());

const contentsOf = (name: string) => createSqliteContents(scratch.file(name), systemClock, systemRandom);
const run = (...args: readonly string[]): Promise<CommandOutcome> => runCommand(args, { cwd: scratch.path });
const inFolder = (dataDir: string, ...args: readonly string[]): Promise<CommandOutcome> =>
  runCommand(args, { cwd: scratch.path, env: { LATCHKEY_DATA_DIR: dataDir } });

async function refused(code: number, pattern: RegExp, ran: Promise<CommandOutcome>): Promise<void> {
  const { exitCode, stderr, stdout } = await ran;
  assert.equal(exitCode, code, stderr);
  assert.match(stderr, pattern);
  assert.equal(stdout, '');
}

describe('latchkey backup and restore', () => {
  test('bring a gateway back on another machine: the same tokens, the same signing key, nothing else needed', async (context) => {
    const backend = await startRecordingBackend();
    context.after(() => backend.close());
    const old = await startGateway({
      backend: backend.url,
      route: { identity: { assertion: 'X-Assertion' } },
    });
    context.after(() => old.stop());
    await old.user('alice');
    const [kept, dropped] = [await old.token(), await old.token({ args: ['--name', 'lost'] })];
    const listed = JSON.parse((await old.command(['token', 'list', '--json'])).stdout) as {
      name: string;
      id: string;
    }[];
    await old.command(['token', 'revoke', listed.find(({ name }) => name === 'lost')?.id ?? '']);
    // While it runs.
    const file = scratch.file('moved.backup');
    const made = await old.command(['backup', file, '--json']);
    assert.equal(made.code, 0, made.stderr);
    assert.deepEqual((JSON.parse(made.stdout) as { files: string[] }).files, ['pepper', 'assertion-key.pem']);
    assert.match(made.stderr, /so are the secrets pepper and assertion-key\.pem: guard it/);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    for (const name of ['pepper', 'assertion-key.pem'])
      assert.ok(
        !`${made.stdout}${made.stderr}`.includes((await readFile(`${old.dataDir}/${name}`, 'utf8')).trim()),
      );

    const dataDir = scratch.file('elsewhere');
    const restored = await inFolder(dataDir, 'restore', file);
    assert.equal(restored.exitCode, 0, restored.stderr);
    assert.match(restored.stderr, /What was revoked, disabled or ended since works again/);
    for (const name of ['pepper', 'assertion-key.pem']) {
      assert.deepEqual(await readFile(`${dataDir}/${name}`), await readFile(`${old.dataDir}/${name}`));
      assert.equal((await stat(`${dataDir}/${name}`)).mode & 0o777, 0o600);
    }
    const gateway = await startGateway({
      backend: backend.url,
      config: { dataDir, store: `sqlite:${dataDir}/latchkey.db` },
    });
    context.after(() => gateway.stop());
    const answers = [];
    for (const secret of [kept, dropped])
      answers.push(status(await exchange(gateway.port, 'GET', '/a', [`Authorization: Bearer ${secret}`])));
    assert.deepEqual(answers, [200, 401]);
  });

  test('say what is in the file, and what of the secrets is not', async () => {
    await writeFile(scratch.file('pepper.txt'), 'a pepper of the operator, who keeps it elsewhere');
    const config = { dataDir: './filled', peppers: [{ id: 'first', secret: { fromFile: 'pepper.txt' } }] };
    await writeFile(scratch.file('own.yaml'), JSON.stringify(config));
    const made = await run('backup', 'own.backup', '--config', 'own.yaml');
    assert.equal(made.exitCode, 0, made.stderr);
    assert.match(made.stdout, /^TABLE +ROWS +SHA-256\nusers +400 +[0-9a-f]{16}\n/);
    assert.match(made.stderr, /Not in it is what the configuration names as `peppers`: keep that too/);
    const without = await inFolder('filled', 'backup', 'without.backup');
    assert.match(without.stderr, /there is no pepper in .*without which every token is dead/);
    const restored = await inFolder('new', 'restore', 'own.backup');
    assert.equal(restored.exitCode, 0);
    assert.match(
      restored.stderr,
      /no gateway starts on it yet: The store holds tokens, but the pepper file .* is missing/,
    );
    assert.deepEqual(await allRows(await contentsOf('new/latchkey.db').view()), sample);
  });

  test('killed in between leave no backup that is not whole, and no store that is not', async () => {
    const env = { LATCHKEY_DATA_DIR: scratch.file('filled') };
    const file = scratch.file('killed.backup');
    const start = (command: string, from: Readonly<Record<string, string>>) =>
      startChild({
        label: command,
        command: process.execPath,
        args: [main, command, file],
        cwd: scratch.path,
        env: from,
      });
    const isThere = async (part: string): Promise<boolean> =>
      (await readdir(scratch.path, { recursive: true })).some((name) => name.startsWith(part));

    const writing = start('backup', env);
    await eventually('the backup to begin', () => isThere('killed.backup'), { everyMs: 1, withinMs: 30_000 });
    writing.signal('SIGKILL');
    await writing.exited;
    await assert.rejects(stat(file), { code: 'ENOENT' });
    assert.equal((await inFolder('filled', 'backup', file)).exitCode, 0);

    for (let lifeMs = 0; lifeMs < 150; lifeMs += 50) {
      const restoring = start('restore', { LATCHKEY_DATA_DIR: scratch.file('again') });
      await eventually('the restore to begin', () => isThere('again/latchkey.db'), {
        everyMs: 1,
        withinMs: 30_000,
      });
      await Promise.race([restoring.exited, delay(lifeMs)]);
      restoring.signal('SIGKILL');
      await restoring.exited;
      if ((await contentsOf('again/latchkey.db').occupancy()).kind === 'full') break;
      const users = await inFolder('again', 'user', 'list', '--json');
      assert.deepEqual([users.exitCode, JSON.parse(users.stdout)], [0, []]);
    }
    if ((await contentsOf('again/latchkey.db').occupancy()).kind !== 'full')
      assert.equal((await inFolder('again', 'restore', file)).exitCode, 0);
    assert.deepEqual(await allRows(await contentsOf('again/latchkey.db').view()), sample);
  });

  test('refuse what would overwrite or mix something, and change nothing', async () => {
    assert.equal((await inFolder('filled', 'backup', 'kept.backup')).exitCode, 0);
    await refused(
      4,
      /there is .*kept\.backup already: name a file that is not there yet/,
      inFolder('filled', 'backup', 'kept.backup'),
    );
    await refused(
      3,
      /there is no store at .*nowhere\/latchkey\.db/,
      inFolder('nowhere', 'backup', 'x.backup'),
    );
    await refused(
      3,
      /there is no backup .*missing\.backup/,
      inFolder('nowhere', 'restore', 'missing.backup'),
    );
    await refused(
      4,
      /is not empty \(there is something in users\)/,
      inFolder('filled', 'restore', 'kept.backup'),
    );
    await assert.rejects(stat(scratch.file('nowhere')), { code: 'ENOENT' });

    await mkdir(scratch.file('used'));
    await writeFile(scratch.file('used/pepper'), `first ${'a'.repeat(43)}\n`, { mode: 0o600 });
    assert.equal(
      (
        await runCommand(['backup', 'other.backup'], {
          cwd: scratch.path,
          env: { LATCHKEY_DATA_DIR: 'used', LATCHKEY_STORE: 'sqlite:filled/latchkey.db' },
        })
      ).exitCode,
      0,
    );
    await mkdir(scratch.file('taken'));
    await writeFile(scratch.file('taken/pepper'), `first ${'b'.repeat(43)}\n`, { mode: 0o600 });
    await refused(
      1,
      /There is another .*taken\/pepper than in the backup: nothing was changed/,
      inFolder('taken', 'restore', 'other.backup'),
    );
    assert.deepEqual(await readdir(scratch.file('taken')), ['pepper']);
  });
});
