import assert from 'node:assert/strict';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { openSqliteStore } from '../../src/compose/sqlite-store.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { UserId } from '../../src/core/ids.ts';
import { schemaVersion } from '../../src/storage/sqlite/migrations.ts';
import { startChild } from '../support/child-process.ts';
import { runCommand } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { type FormerStore, makeFormerStore } from '../support/former-store.ts';
import { startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import { recordingListener } from '../support/redis-parts.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { auditEvent } from '../support/store-records.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const pepper = { id: 'former', secret: 'b'.repeat(43) };
let scratch: Scratch;
let path: string;
beforeEach(async () => {
  scratch = await makeScratch('upgrade');
  await mkdir(scratch.file('data'));
  await writeFile(scratch.file('data/pepper'), `${pepper.id} ${pepper.secret}\n`, { mode: 0o600 });
  path = scratch.file('data/latchkey.db');
});
afterEach(() => scratch.remove());

type Dump = Readonly<Record<string, readonly unknown[]>>;

/** Every cell of the tables, or of those columns that an earlier dump has. */
function dump(like?: Dump): Dump {
  const database = new DatabaseSync(path);
  try {
    const names = database
      .prepare(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%' AND name NOT LIKE '%texts%'`,
      )
      .all()
      .map(({ name }) => String(name))
      .filter(
        (name) => name !== 'meta' && !name.startsWith('sqlite_') && (like === undefined || name in like),
      );
    return Object.fromEntries(
      names.map((name) => {
        const first = like?.[name]?.[0] as object | undefined;
        const columns = first === undefined ? '*' : Object.keys(first).join(', ');
        const rows = database.prepare(`SELECT ${columns} FROM ${name} ORDER BY 1`).all();
        return [name, rows.map((row) => ({ ...row, ...('search_key' in row && { search_key: null }) }))];
      }),
    );
  } finally {
    database.close();
  }
}

/** Schema, realm and whether SQLite finds the file whole, without bringing it up to date. */
function look(): readonly unknown[] {
  const database = new DatabaseSync(path);
  try {
    const meta = database.prepare('SELECT value FROM meta WHERE name = ?');
    const [check] = Object.values(database.prepare('PRAGMA integrity_check(1)').get() ?? {});
    return [Number(meta.get('schema')?.['value']), meta.get('realm')?.['value'], check];
  } finally {
    database.close();
  }
}

for (const schema of [1, 2, 3] as const) {
  describe(`a store of schema ${schema}`, () => {
    test('is brought up to date when a gateway starts: its tokens are taken or refused as before', async (context) => {
      const former = makeFormerStore(path, schema, pepper);
      const backend = await startRecordingBackend();
      context.after(() => backend.close());
      const gateway = await startGateway({
        backend: backend.url,
        config: { dataDir: scratch.file('data'), store: `sqlite:${path}` },
      });
      context.after(() => gateway.stop());
      for (const { secret, isGood } of former.tokens) {
        const answer = await exchange(gateway.port, 'GET', '/a', [`Authorization: Bearer ${secret}`]);
        assert.equal(status(answer), isGood ? 200 : 401);
      }
      assert.deepEqual(look(), [schemaVersion, former.realm, 'ok']);
    });

    test('keeps every cell, can be searched and changed, and its journal goes on', async () => {
      const former = makeFormerStore(path, schema, pepper);
      const earlier = dump();
      const store = await openSqliteStore({ kind: 'sqlite', path }, systemClock);
      assert.deepEqual(look(), [schemaVersion, former.realm, 'ok']);
      assert.deepEqual(dump(earlier), earlier);
      await assertReadable(former, store);
      const [feed, listener] = [store.journal(), recordingListener()];
      await feed.start(listener);
      const [phone] = former.tokens;
      const tokenId = (phone?.id ?? '') as never;
      await store.tokens.change([tokenId], () => ({
        patch: { name: 'new' },
        event: auditEvent('token.edit'),
      }));
      await eventually('the change to be heard of', () => listener.changes.length > 0);
      assert.deepEqual(listener.changes, [{ kind: 'token', tokenId, version: 2 }]);
      await feed.stop();
      await store.close();
      const { journal } = dump() as { readonly journal: readonly { readonly seq: number }[] };
      assert.equal(journal.at(-1)?.seq, former.journalPosition + 1);
    });

    test('is looked at by the doctor, with its peppers, and left as it is', async () => {
      const former = makeFormerStore(path, schema, pepper);
      const args = ['doctor', '--backend', 'http://127.0.0.1:9'];
      const examine = async (): Promise<string> =>
        (await runCommand(args, { cwd: scratch.path, env: { LATCHKEY_DATA_DIR: 'data' } })).stdout;
      const shown = await examine();
      const told =
        schema === schemaVersion ? 'are up to date' : 'will be brought up to date at the next start';
      assert.match(shown, new RegExp(`^ok +store \\S+: opens and is whole; its tables ${told}$`, 'm'));
      assert.match(shown, /^ok +pepper \S+: understands every token of the store$/m);
      await rm(scratch.file('data/pepper'));
      assert.match(await examine(), /^fail +pepper \S+: .*is missing/m);
      assert.deepEqual(look(), [schema, former.realm, 'ok']);
    });

    test('can be copied, backed up and restored once it is up to date', async () => {
      const former = makeFormerStore(path, schema, pepper);
      const run = (...args: readonly string[]) =>
        runCommand(args, { cwd: scratch.path, env: { LATCHKEY_DATA_DIR: 'data' } });
      for (const args of [
        ['user', 'list'],
        ['store', 'copy', 'sqlite:data/latchkey.db', 'sqlite:copy.db'],
        ['backup', 'x.backup'],
        ['restore', 'x.backup', '--store', 'sqlite:restored.db'],
      ]) {
        const ran = await run(...args);
        assert.equal(ran.exitCode, 0, `${args.join(' ')}: ${ran.stderr}`);
      }
      for (const name of ['copy.db', 'restored.db']) {
        const store = await openSqliteStore({ kind: 'sqlite', path: scratch.file(name) }, systemClock);
        await assertReadable(former, store);
        await store.close();
      }
    });
  });
}

async function assertReadable(
  former: FormerStore,
  store: Awaited<ReturnType<typeof openSqliteStore>>,
): Promise<void> {
  const [alice, bob] = [await store.users.findByName('alice'), await store.users.findByName('bob')];
  assert.deepEqual(
    [alice?.name, alice?.passwordHash, alice?.disabled, bob?.disabled],
    ['Alice', '$argon2id$a hash', false, true],
  );
  assert.equal(await store.users.findByName('gone'), null);
  assert.deepEqual(
    (await store.users.search({ text: 'LIC', limit: 9 })).items.map(({ name }) => name),
    ['Alice'],
  );
  const tokens = await store.tokens.list({ includeRevoked: true, limit: 100 });
  assert.deepEqual(
    tokens.map(({ token }) => token.id as string).toSorted(),
    former.tokens.map(({ id }) => id).toSorted(),
  );
  const byNewest = { order: 'created', descending: true, limit: 9 } as const;
  const found = await store.tokens.search({ ...byNewest, text: 'davx5' }, 0);
  assert.deepEqual(
    found.items.map(({ token }) => token.lastUsedAddress),
    ['192.0.2.7'],
  );
  const userId = (alice?.id ?? '') as UserId;
  assert.equal(
    (await store.tokens.audit({ userId, limit: 9 })).some(({ action }) => action === 'token.revoke'),
    true,
  );
  assert.deepEqual(await store.tokens.pepperIdsInUse(), [pepper.id]);
}

describe('bringing a store up to date', () => {
  test('is all or nothing, whenever it is killed', async () => {
    const fillers = 5_000;
    const former = makeFormerStore(path, 1, pepper, fillers);
    const earlier = dump();
    const args = [main, 'user', 'list', '--store', `sqlite:${path}`];
    const schemas = [];
    for (const lifeMs of [0, 100, 250, 500]) {
      const child = startChild({ label: 'user list', command: process.execPath, args });
      await eventually('the schema to be changed', () => !child.running() || isLocked(), {
        everyMs: 2,
        withinMs: 30_000,
      });
      await Promise.race([child.exited, delay(lifeMs)]);
      child.signal('SIGKILL');
      await child.exited;
      const [schema, ...rest] = look();
      assert.deepEqual(rest, [former.realm, 'ok']);
      assert.deepEqual(dump(earlier), earlier);
      // Of the new tables all are there or none.
      assert.deepEqual([schema, 'sessions' in dump()], schema === 1 ? [1, false] : [schemaVersion, true]);
      schemas.push(schema);
    }
    assert.equal(schemas[0], 1, 'killed as it began');
    const store = await openSqliteStore({ kind: 'sqlite', path }, systemClock);
    assert.deepEqual(look(), [schemaVersion, former.realm, 'ok']);
    assert.deepEqual(dump(earlier), earlier);
    const wanted = { order: 'created', descending: true, limit: 9, text: `client ${fillers - 1}` } as const;
    assert.equal((await store.tokens.search(wanted, 0)).items.length, 1);
    await store.close();
  });

  /** Whether somebody holds the lock for writing. */
  function isLocked(): boolean {
    const database = new DatabaseSync(path, { timeout: 0 });
    try {
      database.exec('BEGIN IMMEDIATE; ROLLBACK');
      return false;
    } catch {
      return true;
    } finally {
      database.close();
    }
  }
});
