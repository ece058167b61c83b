import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { after, before, describe, test } from 'node:test';
import { openPostgresStore } from '../../src/compose/postgres-store.ts';
import type { PostgresConfig } from '../../src/config/store-config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Fault } from '../../src/core/errors.ts';
import type { TokenId } from '../../src/core/ids.ts';
import { systemRandom } from '../../src/core/random.ts';
import { openPostgres } from '../../src/storage/postgres/database.ts';
import { Session, sessionSettings } from '../../src/storage/postgres/session.ts';
import { makeCertificates } from '../support/certificates.ts';
import { run } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { type PostgresServer, requirePostgres, startPostgres } from '../support/postgres.ts';
import { makeScratch } from '../support/scratch.ts';

const password = 'canary: äß %41';

describe('a PostgreSQL database as the store', requirePostgres(), () => {
  let server: PostgresServer;
  let database: string;
  before(async () => {
    const settings = [`listen_addresses = '127.0.0.1, 127.0.0.2'`];
    server = await startPostgres({ tls: true, password, settings });
    database = await server.createDatabase();
  });
  after(() => server.stop());

  const deps = { clock: systemClock, randomBytes: systemRandom };
  /** Over the unix socket, where nobody is asked for a password. */
  const local = (name: string): PostgresConfig => server.config(name, { host: server.socketFolder });

  async function refusal(config: PostgresConfig): Promise<string> {
    const error = await openPostgres({ ...deps, config }).then(
      () => assert.fail('it was opened'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Fault, String(error));
    assert.equal(error.code, 'store_unavailable');
    assert.doesNotMatch(JSON.stringify(error.message), /canary/);
    const named = `The store postgres://${config.user}@`;
    assert.ok(error.message.startsWith(named), error.message);
    return error.message.slice(error.message.indexOf(' ', named.length) + 1);
  }

  test('opens with the right password, whatever characters it has', async () => {
    await (await openPostgres({ ...deps, config: server.config(database) })).close();
  });

  test('every mistake in the address gets a sentence of its own with what to do', async () => {
    const port = await freePort();
    const cases: readonly (readonly [changes: Partial<PostgresConfig>, sentence: RegExp])[] = [
      [{ password: 'canary' }, /^refuses the password: check `store`, and that of the user/],
      [{ password: null }, /^asks for a password that it does not get: give it as password of `store`\.$/],
      [{ database: 'nobodys' }, /^has no such database: make it with CREATE DATABASE, or name another/],
      [{ host: server.socketFolder, user: 'nobody' }, /^refuses this user: check that the role exists/],
      [{ port }, /^cannot be reached: nothing listens there; check that it runs/],
      [{ host: server.socketFolder, port }, /^cannot be reached: there is no such socket/],
      [
        { host: 'nowhere.invalid' },
        /^cannot be reached: (there is no host of that name|the name of its host)/,
      ],
    ];
    for (const [changes, sentence] of cases) {
      assert.match(await refusal(server.config(database, changes)), sentence);
    }
  });

  test('a command that lacks the password says so and ends', async () => {
    const { host, port, user } = server.config(database);
    const store = `postgres://${user}@${host}:${port}/${database}`;
    const label = 'latchkey user list';
    const main = join(import.meta.dirname, '../../src/main.ts');
    const args = [main, 'user', 'list', '--store', store];
    const { code, stderr } = await run({ label, command: process.execPath, args, withinMs: 30_000 });
    assert.equal(code, 1);
    assert.match(stderr, /asks for a password that it does not get/);
  });

  test('a server that never says a word is given up', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const config = server.config(database, { port, connectTimeoutMs: 200 });
    assert.match(
      await refusal(config),
      /^does not answer; check that it is well, and the network between\.$/,
    );
    silent.close();
  });

  test('with TLS the server is known by its certificate, under the name it is called by', async () => {
    const opened = await openPostgres({
      ...deps,
      config: server.config(database, { tls: { ca: server.ca } }),
    });
    const encrypted = `SELECT count(*) FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE ssl AND usename = 'latchkey'`;
    assert.equal(await server.sql(database, encrypted), '1');
    await opened.close();
    const named = server.config(database, { host: 'localhost', tls: { ca: server.ca } });
    await (await openPostgres({ ...deps, config: named })).close();
  });

  test('with TLS any other server is refused', async () => {
    const scratch = await makeScratch('other-authority');
    const ca = await makeCertificates(scratch);
    await scratch.remove();
    const unknown = /^has a certificate of no authority known here: give that of its authority as tls/;
    assert.match(await refusal(server.config(database, { tls: { ca } })), unknown);
    assert.match(await refusal(server.config(database, { tls: { ca: null } })), unknown);
    const elsewhere = server.config(database, { host: '127.0.0.2', tls: { ca: server.ca } });
    assert.match(await refusal(elsewhere), /^has a certificate for another name/);
    const plain = await startPostgres();
    const demanded = plain.config('postgres', { tls: { ca: server.ca } });
    assert.match(await refusal(demanded), /^speaks no TLS: switch ssl on there/);
    await plain.stop();
  });

  test('opened by many processes at once for the first time it ends up with one realm', async () => {
    const config = local(await server.createDatabase());
    const opener = join(import.meta.dirname, '..', 'support', 'store-opener.ts');
    const realms = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = fork(opener, [JSON.stringify(config)]);
        const ended = once(child, 'exit').then(() => assert.fail('ended without a realm'));
        const [realm] = await Promise.race([once(child, 'message'), ended]);
        return realm as string;
      }),
    );
    assert.equal(new Set(realms).size, 1, realms.join(' '));
    const again = await openPostgres({ ...deps, config });
    assert.equal(again.realm, realms[0]);
    await again.close();
  });

  test('is waited for while another process brings it up to date, longer than for anything else', async (t) => {
    const fresh = await server.createDatabase();
    const config = local(fresh);
    const other = new Session(sessionSettings(config, 60_000));
    await other.connect();
    // What whoever makes or changes tables holds to the end.
    await other.query('SELECT pg_advisory_lock(1281456995, 1935894637)');
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const opening = openPostgresStore(config, systemClock);
    const waiting = `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`;
    while ((await server.sql(fresh, waiting)) === '0') await nextTurn();
    t.mock.timers.tick(5 * 60_000);
    other.breakOff();
    const store = await opening;
    t.mock.timers.reset();
    await store.close();
  });

  test('tables of another program are left alone', async () => {
    for (const sql of [
      'CREATE TABLE orders (id int)',
      `CREATE TABLE meta AS SELECT 'schema' AS name, '1' AS value`,
    ]) {
      const name = await server.createDatabase();
      await server.sql(name, `${sql}; GRANT SELECT ON ALL TABLES IN SCHEMA public TO latchkey`);
      assert.match(
        await refusal(local(name)),
        /^holds tables in the schema public, but not Latchkey's: name an empty/,
      );
      assert.equal(await server.sql(name, `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`), '1');
    }
  });

  test('tables of a newer Latchkey are left alone', async () => {
    const name = await server.createDatabase();
    await (await openPostgres({ ...deps, config: local(name) })).close();
    await server.sql(name, `UPDATE meta SET value = '99' WHERE name = 'schema'`);
    const sentence = await refusal(local(name));
    assert.match(
      sentence,
      /^was written by a newer Latchkey \(schema 99, this one knows \d+\): install that version/,
    );
    assert.equal(await server.sql(name, `SELECT value FROM meta WHERE name = 'schema'`), '99');
  });

  test('a database that cannot hold our tables is refused', async () => {
    const locale = `TEMPLATE template0 LOCALE_PROVIDER libc LOCALE 'C'`;
    await server.sql('postgres', `CREATE DATABASE latin OWNER latchkey ENCODING 'LATIN1' ${locale}`);
    assert.match(
      await refusal(local('latin')),
      /^keeps this database in LATIN1: make one with ENCODING 'UTF8'\.$/,
    );
    await server.sql('postgres', `CREATE DATABASE foreign_one ENCODING 'UTF8' ${locale}`);
    assert.match(
      await refusal(local('foreign_one')),
      /^lets this user not do what is needed: make it the owner/,
    );
    const schemaless = await server.createDatabase();
    await server.sql(schemaless, 'DROP SCHEMA public');
    assert.match(await refusal(local(schemaless)), /^has no schema for tables: CREATE SCHEMA/);
  });

  test('without pg_trgm everything works, by looking at every row', async () => {
    const name = await server.createDatabase();
    await server.sql(
      name,
      'CREATE SCHEMA own AUTHORIZATION latchkey; ALTER ROLE latchkey SET search_path = own',
    );
    await server.sql(
      name,
      `REVOKE CREATE ON DATABASE ${name} FROM latchkey; ALTER DATABASE ${name} OWNER TO postgres`,
    );
    const store = await openPostgresStore(local(name), systemClock);
    assert.deepEqual((await store.users.search({ text: 'any', limit: 1 })).items, []);
    assert.equal(
      await server.sql(
        name,
        `SELECT to_regclass('own.tokens') || coalesce(to_regclass('own.token_texts')::text, '')`,
      ),
      'own.tokens',
    );
    await store.close();
    await server.sql(name, 'ALTER ROLE latchkey RESET search_path');
  });

  test('a standby is refused', async () => {
    const standby = await startPostgres({ standby: true });
    assert.match(
      await refusal(standby.config('postgres')),
      /^is a standby, which only follows another server/,
    );
    await standby.stop();
  });

  test('a server that takes no changes is refused, also where it becomes one while in use', async () => {
    const name = await server.createDatabase();
    const store = await openPostgresStore(local(name), systemClock);
    const heard: number[] = [];
    const feed = store.journal();
    const listener = {
      changed: () => undefined,
      gap: () => undefined,
      heard: () => void heard.push(heard.length),
    };
    await feed.start(listener);
    await server.sql(name, 'ALTER SYSTEM SET default_transaction_read_only = on');
    await server.sql(name, 'SELECT pg_reload_conf()');
    const sentence =
      /takes no changes \(default_transaction_read_only is on\): name the primary as the store/;
    const problem = await eventually('a refusal', () =>
      store.tokens.get('any' as TokenId).then(
        () => null,
        (error: unknown) => String(error),
      ),
    );
    assert.match(problem, sentence);
    assert.match(await refusal(local(name)), sentence);
    await server.sql(
      name,
      'SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only',
    );
    await server.sql(name, 'SELECT pg_reload_conf()');
    const before = heard.length;
    await eventually('the feed to be heard again', () => heard.length > before);
    assert.equal(
      await eventually('an answer', async () => (await store.tokens.get('any' as TokenId)) === null),
      true,
    );
    await feed.stop();
    await store.close();
  });
});
