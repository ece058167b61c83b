import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { after, before, describe, test } from 'node:test';
import { openSqliteStore } from '../../src/compose/sqlite-store.ts';
import { openPostgresStore } from '../../src/compose/postgres-store.ts';
import { copyContents } from '../../src/contents/copy.ts';
import type { StoreContents } from '../../src/contents/store-contents.ts';
import type { Row } from '../../src/contents/tables.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Fault } from '../../src/core/errors.ts';
import type { PepperId } from '../../src/core/ids.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createPostgresContents } from '../../src/storage/postgres/contents.ts';
import { createSqliteContents } from '../../src/storage/sqlite/contents.ts';
import { startChild } from '../support/child-process.ts';
import { runCommand, type CommandOutcome } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { recordingListener } from '../support/redis-parts.ts';
import { type PostgresServer, requirePostgres, startPostgres } from '../support/postgres.ts';
import { allRows, fillWith, sampleContents, sampleRealm } from '../support/sample-contents.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { auditEvent } from '../support/store-records.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const sample = sampleContents(3_000);
const password = 'known to this test alone';
let scratch: Scratch;
let server: PostgresServer;

const inFile = (name: string): StoreContents =>
  createSqliteContents(scratch.file(name), systemClock, systemRandom);
const inDatabase = (name: string): StoreContents =>
  createPostgresContents(server.config(name), systemClock, systemRandom);
const run = (...args: readonly string[]): Promise<CommandOutcome> => runCommand(args, { cwd: scratch.path });

/** A configuration file that names the database with its password; resolves to the file's name. */
async function configOf(database: string): Promise<string> {
  await writeFile(scratch.file('password'), password);
  const store = { url: server.url(database), password: { fromFile: 'password' } };
  await writeFile(scratch.file(`${database}.yaml`), JSON.stringify({ store, dataDir: `./${database}` }));
  return `${database}.yaml`;
}

describe('latchkey store copy with PostgreSQL', requirePostgres(), () => {
  before(async () => {
    scratch = await makeScratch('copy-postgres');
    server = await startPostgres({ password });
    await fillWith(inFile('from.db'), sample);
  });
  after(async () => {
    await server.stop();
    await scratch.remove();
  });

  test('brings everything there and back again, with the figures of both sides', async () => {
    const database = await server.createDatabase();
    const there = await run('store', 'copy', 'sqlite:from.db', await configOf(database), '--json');
    assert.equal(there.exitCode, 0, there.stderr);
    const report = JSON.parse(there.stdout) as {
      to: string;
      same: boolean;
      tables: { table: string; to: { rows: number } }[];
    };
    assert.deepEqual([report.to, report.same], [server.url(database), true]);
    assert.ok(!`${there.stdout}${there.stderr}`.includes(password));
    assert.deepEqual(
      report.tables.map(({ table, to }) => [table, to.rows]),
      [...sample].map(([table, rows]) => [table, rows.length]),
    );
    assert.deepEqual(await allRows(await inDatabase(database).view()), sample);
    const back = await run('store', 'copy', `${database}.yaml`, 'sqlite:back.db');
    assert.equal(back.exitCode, 0, back.stderr);
    const view = await inFile('back.db').view();
    assert.equal(view.realm, sampleRealm);
    assert.deepEqual(await allRows(view), sample);
  });

  test('killed at any moment and given again loses and doubles nothing; nothing opens the copy before', async () => {
    const database = await server.createDatabase();
    const args = [main, 'store', 'copy', 'sqlite:from.db', await configOf(database)];
    let unfinished = 0;
    for (let lifeMs = 0; lifeMs < 400; lifeMs += 60) {
      const child = startChild({ label: 'store copy', command: process.execPath, args, cwd: scratch.path });
      const begun = async (): Promise<boolean> =>
        !child.running() ||
        (await server.sql(database, `SELECT 1 FROM meta WHERE name = 'unfinished'`)) !== '';
      await eventually('the copy to begin', begun, { everyMs: 2, withinMs: 30_000 });
      await Promise.race([child.exited, delay(lifeMs)]);
      child.signal('SIGKILL');
      await child.exited;
      if ((await inDatabase(database).occupancy()).kind !== 'unfinished') continue;
      unfinished += 1;
      const opened = await run('token', 'list', '--config', `${database}.yaml`);
      assert.equal(opened.exitCode, 1);
      assert.match(opened.stderr, /has not come to its end: run the same `latchkey store copy` again/);
    }
    assert.ok(unfinished >= 1);
    const done = await run('store', 'copy', 'sqlite:from.db', `${database}.yaml`);
    assert.equal(done.exitCode, 0, done.stderr);
    assert.deepEqual(await allRows(await inDatabase(database).view()), sample);
  });

  test('goes on where the server had crashed below it', async () => {
    const database = await server.createDatabase();
    const [from, to] = [inFile('from.db'), inDatabase(database)];
    let portions = 0;
    const crashing: StoreContents = {
      ...to,
      async fill(...what) {
        const filling = await to.fill(...what);
        return {
          ...filling,
          append: async (table, rows) => {
            portions += 1;
            if (portions === 5) await server.crash();
            await filling.append(table, rows);
          },
        };
      },
    };
    await assert.rejects(copyContents(from, crashing), (error) => {
      assert.ok(error instanceof Fault, String(error));
      assert.match(error.message, /broke off the connection|shut(ting)? down/);
      return true;
    });
    await server.start();
    const outcome = await copyContents(from, to);
    assert.equal(outcome.kind === 'copied' && outcome.start, 'continued');
    assert.deepEqual(await allRows(await to.view()), sample);
  });

  test('notices a token that is revoked in PostgreSQL while it is copied', async () => {
    const database = await server.createDatabase();
    await fillWith(inDatabase(database), sampleContents(50));
    const stores = await openPostgresStore(server.config(database), systemClock);
    const [token] = await stores.tokens.list({ limit: 1 });
    assert.ok(token !== undefined);
    const to = inFile('changed.db');
    let isDue = true;
    const changing: StoreContents = {
      ...to,
      async fill(...what) {
        const filling = await to.fill(...what);
        return {
          ...filling,
          append: async (table, rows: readonly Row[]) => {
            await filling.append(table, rows);
            if (!isDue) return;
            isDue = false;
            const event = auditEvent('token.revoke');
            await stores.tokens.change([token.token.id], () => ({ patch: { revokedAt: 5 }, event }));
          },
        };
      },
    };
    const outcome = await copyContents(inDatabase(database), changing);
    assert.equal(outcome.kind, 'source-changed');
    const differing = outcome.tables.filter((each) => each.from.sha256 !== each.to.sha256);
    assert.deepEqual(
      differing.map((each) => each.from.table),
      ['tokens', 'audit', 'journal'],
    );
    await assert.rejects(
      openSqliteStore({ kind: 'sqlite', path: scratch.file('changed.db') }, systemClock),
      Fault,
    );
    const again = await copyContents(inDatabase(database), to);
    assert.equal(again.kind === 'copied' && again.start, 'anew');
    const store = await openSqliteStore({ kind: 'sqlite', path: scratch.file('changed.db') }, systemClock);
    assert.equal((await store.tokens.get(token.token.id))?.token.revokedAt, 5);
    await store.close();
    await stores.close();
  });

  test('makes stores whose gateways hear of every change from then on', async () => {
    const database = await server.createDatabase();
    await copyContents(inFile('from.db'), inDatabase(database));
    const stores = await openPostgresStore(server.config(database), systemClock);
    const [feed, listener] = [stores.journal(), recordingListener()];
    await feed.start(listener);
    const [token] = await stores.tokens.list({ limit: 1 });
    const tokenId = token?.token.id ?? assert.fail();
    const version = (token?.token.version ?? 0) + 1;
    await stores.tokens.change([tokenId], () => ({ patch: { name: 'heard of' }, event: auditEvent('e') }));
    await eventually('the change to be heard of', () => listener.changes.length > 0);
    assert.deepEqual(listener.changes.at(-1), { kind: 'token', tokenId, version });
    assert.ok(!listener.calls.includes('gap'));
    await feed.stop();
    await stores.close();
  });

  test('makes a store that only gateways with the pepper of its tokens open', async () => {
    const [used, fresh] = [await server.createDatabase(), await server.createDatabase()];
    const claim = async (database: string, ...peppers: readonly string[]): Promise<void> => {
      const store = await openPostgresStore(server.config(database), systemClock);
      try {
        await store.claimPeppers(peppers as readonly PepperId[]);
      } finally {
        await store.close();
      }
    };
    await claim(used, 'before');
    for (const database of [used, fresh]) {
      await copyContents(inFile('from.db'), inDatabase(database));
      await assert.rejects(claim(database, 'before'), /has the pepper "(first|Second)" of another gateway/);
      await claim(database, 'new', 'first', 'Second');
    }
  });

  test('leaves a store without tokens to the gateway that was there before', async () => {
    const database = await server.createDatabase();
    const stores = await openPostgresStore(server.config(database), systemClock);
    await stores.claimPeppers(['before'] as readonly string[] as readonly PepperId[]);
    await fillWith(inFile('tokenless.db'), sampleContents(0));
    await copyContents(inFile('tokenless.db'), inDatabase(database));
    const other = stores.claimPeppers(['other'] as readonly string[] as readonly PepperId[]);
    await assert.rejects(other, /has the pepper "before" of another gateway/);
    await stores.close();
  });

  test('is refused by a database with something in it, with a sentence, and changes nothing', async () => {
    const [full, foreign] = [await server.createDatabase(), await server.createDatabase()];
    await fillWith(inDatabase(full), sampleContents(3));
    await server.sql(full, `UPDATE meta SET value = 'another' WHERE name = 'realm'`);
    await server.sql(foreign, 'CREATE TABLE bookmarks (url text)');
    for (const [database, code, pattern] of [
      [full, 4, /is not empty \(there is something in users\): nothing was changed/],
      [foreign, 1, /holds tables in the schema public, but not Latchkey's/],
    ] as const) {
      const refused = await run('store', 'copy', 'sqlite:from.db', await configOf(database));
      assert.deepEqual([refused.exitCode, refused.stdout], [code, '']);
      assert.match(refused.stderr, pattern);
    }
    assert.equal(await server.sql(foreign, `SELECT count(*) FROM pg_class WHERE relname = 'meta'`), '0');
    assert.equal(await server.sql(full, 'SELECT count(*) FROM users'), '4');
  });
});

describe('latchkey backup and restore with PostgreSQL', requirePostgres(), () => {
  before(async () => {
    scratch = await makeScratch('backup-postgres');
    server = await startPostgres({ password });
  });
  after(async () => {
    await server.stop();
    await scratch.remove();
  });

  test('take a store from PostgreSQL into a file, and from there into either kind', async () => {
    const [old, fresh] = [await server.createDatabase(), await server.createDatabase()];
    await fillWith(inDatabase(old), sample);
    const made = await run('backup', 'x.backup', '--config', await configOf(old));
    assert.equal(made.exitCode, 0, made.stderr);
    const restored = await run('restore', 'x.backup', '--config', await configOf(fresh));
    assert.equal(restored.exitCode, 0, restored.stderr);
    assert.equal(restored.stdout, made.stdout);
    assert.deepEqual(await allRows(await inDatabase(fresh).view()), sample);
    const again = await run('restore', 'x.backup', '--config', `${fresh}.yaml`);
    assert.equal(again.exitCode, 4);
    const file = await run('restore', 'x.backup', '--store', 'sqlite:file.db');
    assert.equal(file.stdout, made.stdout);
    assert.deepEqual(await allRows(await inFile('file.db').view()), sample);
    assert.ok(!`${made.stderr}${restored.stderr}`.includes(password));
  });

  test('leave a database empty whose server crashes during the restore', async () => {
    const [old, fresh] = [await server.createDatabase(), await server.createDatabase()];
    await fillWith(inDatabase(old), sampleContents(20));
    assert.equal((await run('backup', 'y.backup', '--config', await configOf(old))).exitCode, 0);
    const filling = await inDatabase(fresh).fill(sampleRealm, 'at-once');
    await server.crash();
    await assert.rejects(filling.finish(), Fault);
    await filling.close();
    await server.start();
    assert.equal((await inDatabase(fresh).occupancy()).kind, 'empty');
    assert.equal((await run('restore', 'y.backup', '--config', await configOf(fresh))).exitCode, 0);
    assert.deepEqual(await allRows(await inDatabase(fresh).view()), sampleContents(20));
  });
});
