import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { tables } from '../../src/contents/tables.ts';
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createSqliteContents } from '../../src/storage/sqlite/contents.ts';
import { run, startChild } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { runCommand, type CommandOutcome } from '../support/command-line.ts';
import { startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import { allRows, fillWith, sampleContents } from '../support/sample-contents.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

interface Report {
  readonly from: string;
  readonly to: string;
  readonly same: boolean;
  readonly tables: readonly {
    readonly table: string;
    readonly from: { readonly rows: number; readonly sha256: string };
    readonly to: { readonly rows: number; readonly sha256: string };
  }[];
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const sample = sampleContents(3_000);
let scratch: Scratch;
before(async () => {
  scratch = await makeScratch('store-copy');
  await fillWith(contentsOf('from.db'), sample);
});
after(() => scratch.remove());

const contentsOf = (name: string) => createSqliteContents(scratch.file(name), systemClock, systemRandom);
const copy = (...args: readonly string[]): Promise<CommandOutcome> =>
  runCommand(['store', 'copy', ...args], { cwd: scratch.path });

async function refused(code: number, pattern: RegExp, ...args: readonly string[]): Promise<void> {
  const ran = await copy(...args);
  assert.equal(ran.exitCode, code, ran.stderr);
  assert.match(ran.stderr, pattern);
  assert.equal(ran.stdout, '');
}

describe('latchkey store copy', () => {
  test('prints rows and checksums of every table on both sides, also as JSON', async () => {
    const done = await copy('sqlite:from.db', 'sqlite:made/for/it/to.db', '--json');
    assert.equal(done.exitCode, 0, done.stderr);
    const report = JSON.parse(done.stdout) as Report;
    assert.deepEqual(
      [report.from, report.to, report.same],
      [scratch.file('from.db'), scratch.file('made/for/it/to.db'), true],
    );
    const expected = tables.map(({ name }) => {
      const rows = sample.get(name) ?? [];
      const hash = createHash('sha256');
      for (const row of rows) hash.update(`${JSON.stringify(row)}\n`);
      return { table: name, rows: rows.length, sha256: hash.digest('hex') };
    });
    assert.deepEqual(
      report.tables.map(({ table, from }) => ({ table, ...from })),
      expected,
    );
    assert.deepEqual(
      report.tables.map(({ table, to }) => ({ table, ...to })),
      expected,
    );
    assert.match(done.stderr, /Peppers and signing key are no part of a store/);
    const again = await copy('sqlite:from.db', 'sqlite:made/for/it/to.db');
    assert.equal(again.exitCode, 0);
    assert.match(again.stderr, /was in .*to\.db already/);
    assert.match(
      again.stdout,
      /^TABLE +ROWS +COPIED +SHA-256 +COPIED\nusers +600 +600 +[0-9a-f]{16} +[0-9a-f]{16}\n/,
    );
  });

  test('killed at any moment and given again loses and doubles nothing; until its end nothing opens the copy', async () => {
    const args = [
      main,
      'store',
      'copy',
      `sqlite:${scratch.file('from.db')}`,
      `sqlite:${scratch.file('killed.db')}`,
    ];
    let kills = 0;
    for (let lifeMs = 0; lifeMs < 400; lifeMs += 60) {
      const child = startChild({ label: 'store copy', command: process.execPath, args });
      await eventually('the copy to begin', () => !child.running() || existsSync(scratch.file('killed.db')), {
        everyMs: 2,
        withinMs: 30_000,
      });
      await Promise.race([child.exited, delay(lifeMs)]);
      child.signal('SIGKILL');
      if ((await child.exited).signal === 'SIGKILL') kills += 1;
      const { kind } = await contentsOf('killed.db').occupancy();
      if (kind !== 'unfinished') continue;
      const opened = await runCommand(['token', 'list', '--store', 'sqlite:killed.db'], {
        cwd: scratch.path,
      });
      assert.equal(opened.exitCode, 1);
      assert.match(opened.stderr, /has not come to its end: run the same `latchkey store copy` again/);
    }
    assert.ok(kills >= 3, `killed only ${kills} times`);
    const done = await copy('sqlite:from.db', 'sqlite:killed.db', '--json');
    assert.equal((JSON.parse(done.stdout) as Report).same, true);
    assert.deepEqual(await allRows(await contentsOf('killed.db').view()), sample);
  });

  test('makes a store on which a gateway takes the same tokens, and refuses those that were revoked', async (context) => {
    const backend = await startRecordingBackend();
    context.after(() => backend.close());
    const old = await startGateway({ backend: backend.url });
    context.after(() => old.stop());
    await old.user('alice');
    const [kept, dropped] = [await old.token(), await old.token({ args: ['--name', 'lost'] })];
    const listed = await old.command(['token', 'list', '--json']);
    const lost = (JSON.parse(listed.stdout) as { name: string; id: string }[]).find(
      ({ name }) => name === 'lost',
    );
    assert.equal((await old.command(['token', 'revoke', lost?.id ?? ''])).code, 0);
    await cp(old.dataDir, scratch.file('data'), { recursive: true });
    const copied = await copy(`sqlite:${old.dataDir}/latchkey.db`, 'sqlite:data/copy.db');
    assert.equal(copied.exitCode, 0, copied.stderr);
    const gateway = await startGateway({
      backend: backend.url,
      config: { dataDir: scratch.file('data'), store: `sqlite:${scratch.file('data/copy.db')}` },
    });
    context.after(() => gateway.stop());
    const answers = [];
    for (const secret of [kept, dropped])
      answers.push(status(await exchange(gateway.port, 'GET', '/a', [`Authorization: Bearer ${secret}`])));
    assert.deepEqual(answers, [200, 401]);
  });

  test('takes configuration files in place of URLs, and is deaf to variables that name a store', async () => {
    await fillWith(contentsOf('small.db'), sampleContents(5));
    await writeFile(scratch.file('from.yaml'), 'store: sqlite:small.db\n');
    await writeFile(scratch.file('to.yaml'), 'dataDir: ./new\n');
    const done = await runCommand(['store', 'copy', 'from.yaml', 'to.yaml', '--json'], {
      cwd: scratch.path,
      env: { LATCHKEY_STORE: 'sqlite:elsewhere.db', LATCHKEY_CONFIG: 'missing.yaml' },
    });
    assert.equal(done.exitCode, 0, done.stderr);
    const { from, to } = JSON.parse(done.stdout) as Report;
    assert.deepEqual([from, to], [scratch.file('small.db'), scratch.file('new/latchkey.db')]);
  });

  test('says what is wrong with what it was given, and changes nothing', async () => {
    await fillWith(contentsOf('full.db'), sampleContents(5));
    const earlier = await readFile(scratch.file('full.db'));
    await refused(
      3,
      /there is no store at .*missing\.db: nothing was copied/,
      'sqlite:missing.db',
      'sqlite:new.db',
    );
    await refused(2, /FROM and TO are the same store/, 'sqlite:full.db', 'sqlite:./full.db');
    await refused(
      2,
      /without --store and --config/,
      'sqlite:from.db',
      'sqlite:new.db',
      '--store',
      'sqlite:x.db',
    );
    await refused(2, /configuration file .*nowhere\.yaml/, 'nowhere.yaml', 'sqlite:new.db');
    await refused(2, /must be sqlite: and a file/, 'sqlite:from.db', 'sqlite:');
    await assert.rejects(readFile(scratch.file('new.db')), { code: 'ENOENT' });
    const other = new DatabaseSync(scratch.file('full.db'));
    other.exec(`UPDATE meta SET value = 'another' WHERE name = 'realm'; PRAGMA wal_checkpoint(TRUNCATE)`);
    other.close();
    await refused(
      4,
      /full\.db is not empty \(there is something in users\)/,
      'sqlite:from.db',
      'sqlite:full.db',
    );
    assert.equal((await readFile(scratch.file('full.db'))).length, earlier.length);
  });

  test('repeats no URL that is wrong, for a password may stand in it', async () => {
    const wrong = [
      'postgres://latchkey:s3cret-canary@127.0.0.1:99999/x',
      'postgres://latchkey:s3cret-canary@127.0.0.1/x?sslmode=prefer',
      'postgressql://latchkey:s3cret-canary@127.0.0.1/x',
    ];
    for (const url of wrong) {
      for (const [at, names] of [
        ['FROM', [url, 'sqlite:none.db']],
        ['TO', ['sqlite:from.db', url]],
      ] as const) {
        const ran = await copy(...names);
        assert.equal(ran.exitCode, 2, ran.stderr);
        assert.match(ran.stderr, new RegExp(`^  ${at}: store: must `, 'm'));
        assert.doesNotMatch(ran.stderr, /canary/);
      }
    }
  });

  test('describes itself', async () => {
    const help = await run({
      label: 'help',
      command: process.execPath,
      args: [main, 'store', 'copy', '--help'],
    });
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Usage: latchkey store copy \[options\] <from> <to>/);
    assert.match(help.stdout, /No gateway may run on either/);
  });
});
