import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, readlink, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { Fault } from '../../src/core/errors.ts';
import type { UserId } from '../../src/core/ids.ts';
import { systemRandom } from '../../src/core/random.ts';
import { openSqlite, type SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { JournalFeed } from '../../src/storage/sqlite/journal-feed.ts';
import { firstTables } from '../../src/storage/sqlite/migrations/0001-first-tables.ts';
import { auditByTime } from '../../src/storage/sqlite/migrations/0002-audit-by-time.ts';
import { schemaVersion } from '../../src/storage/sqlite/migrations.ts';
import { createSqliteTokenStore } from '../../src/storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../../src/storage/sqlite/user-store.ts';
import { tokenRecord, userRecord } from '../support/store-records.ts';
import { recordingListener } from '../support/redis-parts.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { steppedClock } from '../support/stepped-clock.ts';

let scratch: Scratch;
let path: string;
const opened: SqliteDatabase[] = [];

beforeEach(async () => {
  scratch = await makeScratch('sqlite-file');
  path = scratch.file('data', 'latchkey.db');
});
afterEach(async () => {
  for (const database of opened.splice(0)) database.close();
  await scratch.remove();
});

async function open(busyMs = 5_000): Promise<SqliteDatabase> {
  const database = await openSqlite({ path, clock: systemClock, randomBytes: systemRandom, busyMs });
  opened.push(database);
  return database;
}

function closeAll(): void {
  for (const database of opened.splice(0)) database.close();
}

async function refusal(doing: Promise<unknown>): Promise<string> {
  const fault = await doing.then(
    () => null,
    (error: unknown) => error,
  );
  assert.ok(fault instanceof Fault, String(fault));
  assert.equal(fault.code, 'store_unavailable');
  assert.ok(fault.message.includes(path), fault.message);
  return fault.message;
}

/** "Ltch", as in the header of every store file. */
const applicationId = 0x4c_74_63_68;

/** A store file as an older Latchkey left it: one user, one token, a removed user, one audit event. */
async function makeFormer(tables: string, version: number, id: UserId): Promise<void> {
  await mkdir(scratch.file('data'));
  const former = new DatabaseSync(path);
  former.exec(`
    PRAGMA application_id = ${applicationId};
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    INSERT INTO meta VALUES ('schema', '${version}'), ('realm', 'former realm');
    ${tables};
    INSERT INTO users VALUES ('${id}', 'Owner', 'owner', 'a hash', 0, 1, NULL, 7), ('gone', 'gone', NULL, NULL, 0, 1, 2, 2);
    INSERT INTO tokens (id, user_id, name, digest, pepper_id, prefix, scopes, created_at, created_by, enabled, networks, version)
      VALUES ('t1', '${id}', 'phone', 'd', 'p', 'lk_abcd', '["*"]', 1, 'test', 1, '[]', 1);
    INSERT INTO audit (at, action, actor, details) VALUES (0, 'e', 'test', '{}');
  `);
  former.close();
}

const newest = { order: 'created', descending: true, limit: 9 } as const;
const event = { at: 0, action: 'e', actor: 'test', userId: null, tokenId: null, details: {} };

describe('a store file', () => {
  test('is made with its folder, for its owner alone, and keeps its realm', async () => {
    const { realm } = await open();
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal((await stat(scratch.file('data'))).mode & 0o777, 0o700);
    closeAll();
    assert.equal((await open()).realm, realm);
  });

  test('survives losing power: commits that are acknowledged are synced', async () => {
    const database = await open();
    await database.write(() => undefined);
    assert.deepEqual({ ...database.prepare('PRAGMA synchronous').get() }, { synchronous: 2 });
    assert.deepEqual({ ...database.prepare('PRAGMA journal_mode').get() }, { journal_mode: 'wal' });
  });

  test('of a newer Latchkey is refused, and left as it is', async () => {
    const database = await open();
    database.prepare(`UPDATE meta SET value = '${schemaVersion + 1}' WHERE name = 'schema'`).run();
    closeAll();
    assert.match(await refusal(open()), /newer Latchkey .*install that version/);
  });

  for (const [version, sql] of [
    [1, firstTables],
    [2, `${firstTables}; ${auditByTime}`],
  ] as const) {
    test(`of schema ${version} is brought up to date, with everything in it`, async () => {
      const id = randomUUID() as string as UserId;
      await makeFormer(sql, version, id);
      const updated = await open();
      assert.equal(updated.realm, 'former realm');
      const [users, tokens] = [createSqliteUserStore(updated), createSqliteTokenStore(updated)];
      const kept = { id, createdAt: 1, passwordHash: 'a hash', version: 7 };
      assert.deepEqual(await users.findByName('owner'), { ...userRecord('Owner'), ...kept });
      assert.equal((await users.search({ text: 'WNE', limit: 9 })).items[0]?.id, id);
      assert.equal((await users.search({ limit: 9 })).items.length, 1);
      assert.equal((await tokens.search({ ...newest, userId: id }, 0)).items[0]?.token.name, 'phone');
      assert.equal((await tokens.audit({ limit: 9 })).length, 1);
      assert.equal(await tokens.pruneAudit(1, 9), 1);
      assert.equal(await users.insert(userRecord('OWNER'), event), false);
      closeAll();
      assert.equal((await open()).realm, 'former realm');
    });
  }

  test('of another program is refused, and left as it is', async () => {
    await mkdir(scratch.file('data'));
    const other = new DatabaseSync(path);
    other.exec('CREATE TABLE bookmarks (url TEXT)');
    other.close();
    const before = await readFile(path);
    assert.match(await refusal(open()), /not one of Latchkey's/);
    assert.deepEqual(await readFile(path), before);
  });

  test('that is no database is refused', async () => {
    await mkdir(scratch.file('data'));
    await writeFile(path, 'this is not a database, but long enough to look at'.repeat(100));
    assert.match(await refusal(open()), /not an SQLite database/);
  });

  test('that is damaged is refused', async () => {
    await open();
    closeAll();
    const { size } = await stat(path);
    const bytes = Buffer.alloc(size - 8_192, 0x5a);
    const file = await import('node:fs/promises').then(({ open: openFile }) => openFile(path, 'r+'));
    await file.write(bytes, 0, bytes.length, 8_192);
    await file.close();
    assert.match(await refusal(open()), /damaged/);
  });

  test('in a place where none can be is refused', async () => {
    await writeFile(scratch.file('data'), '');
    await refusal(open());
  });

  test('that another process keeps locked is waited for, but not for ever', async () => {
    const database = await open(100);
    const users = createSqliteUserStore(database);
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    assert.match(await refusal(users.insert(userRecord('a'), event)), /locked by another process/);
    const waiting = createSqliteUserStore(await open()).insert(userRecord('b'), event);
    other.exec('COMMIT');
    assert.equal(await waiting, true);
    other.close();
  });

  test('that is removed or replaced in use is not trusted any more', async () => {
    const tokens = createSqliteTokenStore(await open());
    await rename(path, `${path}.old`);
    assert.match(await refusal(tokens.list({})), /removed or replaced .*restart/);
    await writeFile(path, '');
    assert.match(await refusal(tokens.list({})), /removed or replaced/);
  });

  test('that cannot grow says so, and what to do', async () => {
    const database = await open();
    // No lower than the size it has: as if the disk ended there.
    database.prepare('PRAGMA max_page_count = 1').get();
    const growing = database.write(() =>
      database.prepare("INSERT INTO meta VALUES ('big', hex(zeroblob(100000)))").run(),
    );
    assert.match(await refusal(growing), /cannot grow: the disk is full; make room there\.$/);
  });

  test('whose folder is a file says so, and what to do', async () => {
    await writeFile(scratch.file('data'), '');
    assert.match(await refusal(open()), /its folder is a file; name another/);
  });

  test('whose folder the file system does not make is refused, rather than tried for ever', {
    skip: !existsSync('/proc/self') && 'needs /proc',
  }, async () => {
    path = '/proc/none/latchkey.db';
    assert.match(await refusal(open()), /cannot be made: there can be no folder of that name; name another/);
  });

  test('that cannot be written says so', {
    skip: process.getuid?.() === 0 && 'root may write anything',
  }, async () => {
    await open();
    closeAll();
    await chmod(path, 0o400);
    await refusal(open());
  });

  test('that may be read and not written is refused, though others keep it open', async () => {
    await open();
    await chmod(path, 0o444);
    const isRoot = process.getuid?.() === 0;
    // Everything beside it may be written by anybody.
    await chmod(scratch.path, 0o755);
    await chmod(scratch.file('data'), 0o777);
    for (const beside of ['-wal', '-shm']) await chmod(`${path}${beside}`, 0o666);
    const program = new URL('../support/store-opener.ts', import.meta.url);
    const child = fork(program, [path, ...(isRoot ? ['65534'] : [])], { silent: true });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [code] = (await once(child, 'close')) as [number | null];
    assert.equal(code, 1, said);
    assert.match(
      said,
      /latchkey\.db may not be opened or made by this user \(EACCES\): check who owns the file/,
    );
  });

  test('opened by many processes at once for the first time ends up with one realm', async () => {
    const children = Array.from({ length: 4 }, () =>
      fork(join(import.meta.dirname, '..', 'support', 'store-opener.ts'), [path]),
    );
    const realms = await Promise.all(
      children.map(async (child) => {
        const ended = once(child, 'exit').then(() => assert.fail('ended without a realm'));
        const [realm] = await Promise.race([once(child, 'message'), ended]);
        return realm as string;
      }),
    );
    assert.equal(new Set(realms).size, 1, realms.join(' '));
    assert.equal((await open()).realm, realms[0]);
  });
});

describe('the journal of a store file', () => {
  /** A feed that looks when told. */
  function manualFeed(clock = steppedClock()) {
    let look = (): void => assert.fail('not started');
    const feed = new JournalFeed({
      path,
      clock,
      every: (_everyMs, callBack) => {
        look = callBack;
        return () => undefined;
      },
    });
    return { feed, look: () => look(), clock, listener: recordingListener() };
  }

  async function changeAt(database: SqliteDatabase, at: number): Promise<void> {
    const tokens = createSqliteTokenStore(database);
    const user = userRecord(`user-${Math.random()}`);
    await createSqliteUserStore(database).insert(user, event);
    const token = tokenRecord(user.id);
    await tokens.insert(token, event);
    await tokens.change([token.id], () => ({ patch: { name: 'x' }, event: { ...event, at } }));
  }

  test('is replayed from fifteen minutes back at the start', async () => {
    const database = await open();
    const { feed, listener, clock } = manualFeed();
    await changeAt(database, clock.now() - 16 * 60_000);
    await changeAt(database, clock.now() - 14 * 60_000);
    await feed.start(listener);
    assert.equal(listener.changes.length, 1);
    assert.deepEqual(listener.calls.at(-1), 'heard');
    await feed.stop();
  });

  test('is not heard while the file is away or another', async () => {
    await open();
    const { feed, look, listener } = manualFeed();
    await feed.start(listener);
    await rename(path, `${path}.old`);
    const before = listener.calls.length;
    look();
    await writeFile(path, '');
    look();
    assert.equal(listener.calls.length, before);
    await feed.stop();
  });

  test('is not made by listening to it', async () => {
    const { feed, listener } = manualFeed();
    await feed.start(listener);
    assert.deepEqual(listener.calls, []);
    await assert.rejects(stat(path), { code: 'ENOENT' });
    await feed.stop();
  });

  test('leaves no file open where it cannot be read', async () => {
    await mkdir(scratch.file('data'));
    await writeFile(path, 'this is not a database'.repeat(1_000));
    const { feed, look, listener } = manualFeed();
    await feed.start(listener);
    for (let count = 0; count < 20; count++) look();
    const descriptors = await readdir('/proc/self/fd');
    const names = await Promise.all(
      descriptors.map((descriptor) => readlink(`/proc/self/fd/${descriptor}`).catch(() => '')),
    );
    assert.deepEqual(
      names.filter((name) => name === path),
      [],
    );
    assert.deepEqual(listener.calls, []);
    await feed.stop();
  });

  test('has a gap where entries went before they were read', async () => {
    const database = await open();
    const { feed, look, listener, clock } = manualFeed();
    await changeAt(database, clock.now());
    await feed.start(listener);
    for (let count = 0; count < 3; count++) await changeAt(database, clock.now());
    database.prepare('DELETE FROM journal WHERE seq < 4').run();
    look();
    assert.ok(listener.calls.includes('gap'));
    assert.equal(listener.calls.at(-1), 'heard');
    await feed.stop();
  });

  test('is not heard by a look during which the process stood still', async () => {
    await open();
    let now = 1_000;
    const clock = { now: () => now, monotonic: () => (now += 400) };
    const feed = new JournalFeed({ path, clock, every: () => () => undefined });
    const listener = recordingListener();
    await feed.start(listener);
    // Two readings 400 ms apart are fine; a stop of a second in between is not.
    assert.deepEqual(listener.calls, ['heard']);
    await feed.stop();
    const slow = { now: () => now, monotonic: () => (now += 1_000) };
    const late = new JournalFeed({ path, clock: slow, every: () => () => undefined });
    const silent = recordingListener();
    await late.start(silent);
    assert.ok(!silent.calls.includes('heard'));
    await late.stop();
  });

  test('forgets after a day, but never its newest entry', async () => {
    const database = await open();
    const dayMs = 86_400_000;
    for (const at of [0, 1, 2, dayMs + 10, dayMs + 11]) await changeAt(database, at);
    const left = database.prepare('SELECT at FROM journal ORDER BY seq').all();
    assert.deepEqual(
      left.map(({ at }) => at),
      [dayMs + 10, dayMs + 11],
    );
    await changeAt(database, 9 * dayMs);
    assert.equal(database.prepare('SELECT count(*) AS n FROM journal').get()?.['n'], 1);
  });

  test('tells of a removed user', async () => {
    const database = await open();
    const users = createSqliteUserStore(database);
    const user = userRecord('leaver');
    await users.insert(user, event);
    const { feed, look, listener } = manualFeed();
    await feed.start(listener);
    await users.remove(user.id, event);
    look();
    assert.deepEqual(listener.changes, [{ kind: 'user', userId: user.id satisfies UserId, version: 2 }]);
    await feed.stop();
  });
});
