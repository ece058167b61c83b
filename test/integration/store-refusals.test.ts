import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createPostgresContents } from '../../src/storage/postgres/contents.ts';
import { createSqliteContents } from '../../src/storage/sqlite/contents.ts';
import { firstTables } from '../../src/storage/sqlite/migrations/0001-first-tables.ts';
import { runCommand } from '../support/command-line.ts';
import { type PostgresServer, requirePostgres, startPostgres } from '../support/postgres.ts';
import { freePort } from '../support/free-port.ts';
import { fillWith, sampleContents } from '../support/sample-contents.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

/** "Ltch", as in the header of every store file. */
const applicationId = 0x4c_74_63_68;
let scratch: Scratch;

/** What is wrong with a store, told in the words of this pattern by every command that is given it. */
interface Wrong {
  readonly url: () => string;
  readonly pattern: RegExp;
}

/** Every command that reads or fills a store as a whole, and two that open it. */
const commands: readonly (readonly [title: string, args: (url: string) => readonly string[]])[] = [
  ['store copy from it', (url) => ['store', 'copy', url, 'sqlite:new/copy.db']],
  ['store copy into it', (url) => ['store', 'copy', 'sqlite:good.db', url]],
  ['backup', (url) => ['backup', 'new.backup', '--store', url]],
  ['restore', (url) => ['restore', 'good.backup', '--store', url]],
  ['user list', (url) => ['user', 'list', '--store', url]],
  ['user add', (url) => ['user', 'add', 'alice', '--store', url]],
];

/** Every file below the folder with a sum of its bytes. */
async function snapshot(): Promise<readonly string[]> {
  const names = (await readdir(scratch.path, { recursive: true })).toSorted();
  return Promise.all(
    names.map(async (name) => {
      if ((await stat(scratch.file(name))).isDirectory()) return name;
      const hash = createHash('sha256').update(await readFile(scratch.file(name)));
      return `${name} ${hash.digest('hex')}`;
    }),
  );
}

async function assertRefused({ url, pattern }: Wrong, except: readonly string[] = []): Promise<void> {
  for (const [title, args] of commands) {
    if (except.includes(title)) continue;
    const earlier = await snapshot();
    const ran = await runCommand(args(url()), { cwd: scratch.path, env: { LATCHKEY_DATA_DIR: 'never' } });
    assert.equal(ran.exitCode, 1, `${title}: ${ran.stderr}${ran.stdout}`);
    assert.match(ran.stderr, pattern, title);
    // One sentence, no stack.
    assert.match(ran.stderr, /^latchkey: [^\n]+\n$/, title);
    assert.equal(ran.stdout, '', title);
    assert.deepEqual(await snapshot(), earlier, title);
  }
}

async function makeGood(): Promise<void> {
  const good = createSqliteContents(scratch.file('good.db'), systemClock, systemRandom);
  await fillWith(good, sampleContents(3));
  const made = await runCommand(['backup', 'good.backup', '--store', 'sqlite:good.db'], {
    cwd: scratch.path,
  });
  assert.equal(made.exitCode, 0, made.stderr);
}

describe('a store file is refused, and nothing is changed,', () => {
  before(async () => {
    scratch = await makeScratch('refusals');
    await makeGood();
  });
  after(() => scratch.remove());

  const dump = '--\n-- PostgreSQL database dump\n--\nCREATE TABLE public.users (id text);\n'.repeat(200);
  for (const [title, content] of [
    ['that is a dump of PostgreSQL', dump],
    ['that is a packed dump', gzipSync(dump)],
    [
      'that is a dump in the custom format',
      Buffer.concat([Buffer.from('PGDMP\x01\x0e\x00'), Buffer.alloc(9_000, 7)]),
    ],
    ['that is one of our backups', null],
  ] as const) {
    test(title, async () => {
      await writeFile(scratch.file('wrong.db'), content ?? (await readFile(scratch.file('good.backup'))));
      await assertRefused({
        url: () => 'sqlite:wrong.db',
        pattern: /wrong\.db is not an SQLite database: name another file/,
      });
    });
  }

  test('that is a folder', async () => {
    await mkdir(scratch.file('folder'));
    await assertRefused({
      url: () => 'sqlite:folder',
      pattern: /folder cannot be opened: check that it is a file/,
    });
  });

  test('that is the database of another program', async () => {
    const other = new DatabaseSync(scratch.file('other.db'));
    other.exec('PRAGMA application_id = 77; CREATE TABLE users (id TEXT); INSERT INTO users VALUES (1)');
    other.close();
    await assertRefused({
      url: () => 'sqlite:other.db',
      pattern: /an SQLite database, but not one of Latchkey's/,
    });
  });

  test('of a schema newer than the program', async () => {
    await fillWith(
      createSqliteContents(scratch.file('newer.db'), systemClock, systemRandom),
      sampleContents(3),
    );
    const newer = new DatabaseSync(scratch.file('newer.db'));
    newer.exec(`UPDATE meta SET value = '99' WHERE name = 'schema'; CREATE TABLE more (x TEXT)`);
    newer.close();
    const pattern = /written by a newer Latchkey \(schema 99, this one knows \d+\): install that version/;
    await assertRefused({ url: () => 'sqlite:newer.db', pattern });
  });

  test('of an older schema where it is only to be read, with what to do', async () => {
    const older = new DatabaseSync(scratch.file('older.db'));
    older.exec(`
      PRAGMA application_id = ${applicationId};
      CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
      INSERT INTO meta VALUES ('schema', '1'), ('realm', 'former realm');
      ${firstTables}`);
    older.close();
    const pattern =
      /has schema 1, and this Latchkey reads schema \d+: use the version that wrote it, or bring it up to date/;
    const others = ['store copy into it', 'restore', 'user list', 'user add'];
    await assertRefused({ url: () => 'sqlite:older.db', pattern }, others);
  });
});

describe('a store in PostgreSQL is refused, and nothing is changed,', requirePostgres(), () => {
  let server: PostgresServer;
  let http: Server;
  before(async () => {
    scratch = await makeScratch('refusals-postgres');
    await makeGood();
    server = await startPostgres();
    http = createServer((_request, response) => response.end('hello')).listen(0, '127.0.0.1');
    await once(http, 'listening');
  });
  after(async () => {
    http.closeAllConnections();
    http.close();
    await server.stop();
    await scratch.remove();
  });

  const at = (port: number): string => `postgres://latchkey@127.0.0.1:${port}/latchkey`;

  test('where an HTTP server listens', async () => {
    const { port } = http.address() as AddressInfo;
    const pattern =
      /127\.0\.0\.1:\d+\/latchkey (cannot be reached: whoever listens there .*it is no PostgreSQL: check host and port)/;
    await assertRefused({ url: () => at(port), pattern });
  });

  test('where nothing listens', async () => {
    const port = await freePort();
    await assertRefused({
      url: () => at(port),
      pattern: /cannot be reached: nothing listens there; check that it runs/,
    });
  });

  test('where there is no such database', async () => {
    await assertRefused({
      url: () => server.url('missing'),
      pattern: /has no such database: make it with CREATE DATABASE/,
    });
  });

  test('that is the database of another program', async () => {
    const database = await server.createDatabase();
    await server.sql(
      database,
      `SET ROLE latchkey; CREATE TABLE meta (name text, value text); INSERT INTO meta VALUES ('schema', '1')`,
    );
    await assertRefused({
      url: () => server.url(database),
      pattern: /holds tables in the schema public, but not Latchkey's/,
    });
    assert.equal(await server.sql(database, 'SELECT * FROM meta'), 'schema|1');
    assert.equal(
      await server.sql(database, `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`),
      '1',
    );
  });

  test('of a schema newer than the program', async () => {
    const database = await server.createDatabase();
    const contents = createPostgresContents(server.config(database), systemClock, systemRandom);
    await fillWith(contents, sampleContents(3));
    await server.sql(
      database,
      `UPDATE meta SET value = '99' WHERE name = 'schema'; ALTER TABLE users RENAME TO people`,
    );
    const pattern = /written by a newer Latchkey \(schema 99, this one knows \d+\): install that version/;
    await assertRefused({ url: () => server.url(database), pattern });
    assert.equal(await server.sql(database, 'SELECT count(*) FROM people'), '4');
  });

  test('where nothing was made yet, when something is to be read from it', async () => {
    const database = await server.createDatabase();
    const others = ['store copy into it', 'restore', 'user list', 'user add'];
    const pattern = /is empty: there is no store in this database; check its name/;
    await assertRefused({ url: () => server.url(database), pattern }, others);
    assert.equal(
      await server.sql(database, `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`),
      '0',
    );
  });
});
