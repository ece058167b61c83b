import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { KeptStore } from '../../src/compose/kept-store.ts';
import { openPostgresStore } from '../../src/compose/postgres-store.ts';
import type { PostgresConfig } from '../../src/config/store-config.ts';
import type { Change } from '../../src/core/change.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Fault } from '../../src/core/errors.ts';
import type { TokenId } from '../../src/core/ids.ts';
import { systemRandom } from '../../src/core/random.ts';
import { openPostgres } from '../../src/storage/postgres/database.ts';
import { PostgresJournalFeed } from '../../src/storage/postgres/journal-feed.ts';
import { openPolicy } from '../../src/tokens/policy.ts';
import type { TokenRecord } from '../../src/tokens/token-store.ts';
import { eventually } from '../support/eventually.ts';
import { type PostgresServer, requirePostgres, startPostgres } from '../support/postgres.ts';
import { recordingListener } from '../support/redis-parts.ts';
import {
  auditEvent as event,
  epoch,
  sessionRecord,
  tokenRecord,
  userRecord,
} from '../support/store-records.ts';

describe('changes in PostgreSQL by several processes at once', requirePostgres(), () => {
  let server: PostgresServer;
  let config: PostgresConfig;
  let stores: readonly KeptStore[];
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.stop());
  beforeEach(async () => {
    config = server.config(await server.createDatabase(), { poolMax: 24 });
    stores = [await openPostgresStore(config, systemClock), await openPostgresStore(config, systemClock)];
  });
  afterEach(async () => {
    await Promise.all(stores.map((store) => store.close()));
  });

  const store = (at: number): KeptStore => stores[at % stores.length] as KeptStore;
  const revoking = (token: TokenRecord) => ({
    patch: { revokedAt: epoch + token.version },
    event: event('token.revoke'),
  });
  const renaming = (token: TokenRecord) => ({
    patch: { name: `${token.name}+` },
    event: event('token.edit'),
  });

  async function tokens(count: number): Promise<readonly TokenId[]> {
    const user = userRecord('owner');
    await store(0).users.insert(user, event('user.add'));
    const made = Array.from({ length: count }, () => tokenRecord(user.id));
    for (const token of made) await store(0).tokens.insert(token, event('token.create'));
    return made.map(({ id }) => id);
  }

  test('no reader of the journal misses an entry, however many commit at the same time', async () => {
    const ids = await tokens(24);
    const feeds = stores.map((each) => each.journal());
    const listeners = feeds.map(() => recordingListener());
    await Promise.all(feeds.map((feed, at) => feed.start(listeners[at] ?? recordingListener())));
    const seen = listeners.map((listener) => listener.changes.length);
    const rounds = 8;
    await Promise.all(
      ids.map(async (id, at) => {
        for (let round = 0; round < rounds; round++) await store(at + round).tokens.change([id], renaming);
      }),
    );
    const expected = ids.length * rounds;
    for (const [at, listener] of listeners.entries()) {
      await eventually('every change', () => listener.changes.length >= (seen[at] ?? 0) + expected);
      assert.equal(listener.calls.includes('gap'), false);
      const told = listener.changes
        .slice(seen[at])
        .map((change) => (change.kind === 'token' ? change : assert.fail()));
      for (const id of ids) {
        const versions = told.filter(({ tokenId }) => tokenId === id).map(({ version }) => version);
        assert.deepEqual(
          versions,
          Array.from({ length: rounds }, (_, round) => round + 2),
          'each once, in order',
        );
      }
    }
    const numbers = await server.sql(
      config.database,
      'SELECT max(seq) - min(seq) + 1 - count(*) FROM journal',
    );
    assert.equal(numbers, '0', 'numbered without a gap');
    await Promise.all(feeds.map((feed) => feed.stop()));
  });

  test('the same tokens changed in two orders at once do not hold each other up, and no change is lost', async () => {
    const ids = await tokens(10);
    const orders = [ids, ids.toReversed()];
    await Promise.all(
      Array.from({ length: 12 }, (_, at) => store(at).tokens.change(orders[at % 2] ?? [], renaming)),
    );
    const found = await store(0).tokens.list({
      userId: (await store(0).users.findByName('owner'))?.id ?? assert.fail(),
    });
    assert.deepEqual(
      found.map(({ token }) => [token.version, token.name.replaceAll(/[^+]/g, '').length]),
      ids.map(() => [13, 12]),
    );
  });

  test('two admins who take the role from each other at once leave one of them', async () => {
    for (let round = 0; round < 8; round++) {
      const admins = [`a${round}`, `b${round}`].map((name) =>
        userRecord(name, { role: 'admin', passwordHash: 'hash' }),
      );
      for (const admin of admins) await store(0).users.insert(admin, event('user.add'));
      const guard = (_user: unknown, hasOtherAdmin: () => boolean): boolean => hasOtherAdmin();
      const outcomes = await Promise.all(
        admins.map(({ id }, at) =>
          at === 0
            ? store(at).users.change(id, { role: 'user' }, event('user.change'), { guard })
            : store(at).users.remove(id, event('user.remove'), guard),
        ),
      );
      assert.equal(outcomes.filter((outcome) => outcome === null).length, 1);
      assert.equal(await store(1).users.hasAny('admin'), true);
      const left = (await store(1).users.search({ role: 'admin', limit: 9 })).items;
      for (const { id } of left) await store(0).users.remove(id, event('user.remove'));
    }
  });

  test('of several who take a name, use a link, begin a request or replace the policy, one succeeds', async () => {
    const many = Array.from({ length: 6 }, (_, at) => at);
    const added = await Promise.all(
      many.map((at) => store(at).users.insert(userRecord('Same'), event('user.add'))),
    );
    assert.equal(added.filter(Boolean).length, 1);
    const link = {
      digest: 'd' as never,
      purpose: 'first-admin',
      userId: null,
      expiresAt: epoch + 9,
    } as const;
    await store(0).links.insert(link, event('link'));
    const used = await Promise.all(many.map((at) => store(at).links.use(link.digest, epoch)));
    assert.equal(used.filter((each) => each !== null).length, 1);
    const begun = await Promise.all(many.map((at) => store(at).repeated.begin('c', 'k', 'r', epoch)));
    assert.deepEqual(begun.map(({ kind }) => kind).toSorted(), [
      'first',
      ...many.slice(1).map(() => 'running'),
    ]);
    for (const version of [0, 1]) {
      const policies = await Promise.all(
        many.map((at) => store(at).policy.replace(openPolicy, version, event('policy'))),
      );
      assert.deepEqual(
        policies.filter((policy) => policy !== null).map((policy) => policy?.version),
        [version + 1],
      );
    }
  });

  test('whoever is shut out while signing in has no session afterwards', async () => {
    for (let round = 0; round < 8; round++) {
      const user = userRecord(`u${round}`);
      await store(0).users.insert(user, event('user.add'));
      await Promise.all([
        store(0).sessions.insert(sessionRecord(user.id), null, event('session.start')),
        store(1).users.change(user.id, { disabled: true }, event('user.disable')),
      ]);
      assert.deepEqual(await store(0).sessions.listOf(user.id, epoch, 0), []);
    }
  });

  test('a change is durable when it returns, also where the server is set to be careless; last use is not waited for', async () => {
    await store(0).close();
    await server.sql(config.database, 'ALTER ROLE latchkey SET synchronous_commit = off');
    stores = [await openPostgresStore(config, systemClock), store(1)];
    const log = `CREATE TABLE noted (kind text, level text); GRANT ALL ON noted TO latchkey;
      CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO noted VALUES (TG_OP || ' ' || TG_TABLE_NAME, current_setting('synchronous_commit')); RETURN NULL; END $$;
      CREATE TRIGGER note AFTER INSERT ON journal EXECUTE FUNCTION note();
      CREATE TRIGGER note AFTER UPDATE OF last_used_at ON admin_keys EXECUTE FUNCTION note();`;
    const [id] = await tokens(1);
    await server.sql(config.database, log);
    await store(0).tokens.change([id as TokenId], revoking);
    await store(0).adminKeys.recordUse('any' as never, epoch);
    const noted = await server.sql(config.database, 'SELECT kind, level FROM noted ORDER BY kind');
    assert.equal(noted, 'INSERT journal|on\nUPDATE admin_keys|off');
    await server.sql(config.database, 'ALTER ROLE latchkey RESET synchronous_commit');
  });

  describe('when PostgreSQL does not answer', () => {
    const limits = { connectTimeoutMs: 400, statementTimeoutMs: 600 };
    const boundMs = limits.connectTimeoutMs + limits.statementTimeoutMs;

    async function refusal(work: Promise<unknown>): Promise<string> {
      const error = await work.then(
        () => assert.fail('it was done'),
        (thrown: unknown) => thrown,
      );
      assert.ok(error instanceof Fault && error.code === 'store_unavailable', String(error));
      return error.message;
    }

    test('a revocation that others hold up fails within its time, and can be made afterwards', async () => {
      const [id] = (await tokens(1)) as [TokenId];
      const hurried = await openPostgresStore({ ...config, ...limits }, systemClock);
      stores = [...stores, hurried];
      const holder = server.sql(
        config.database,
        `BEGIN; UPDATE tokens SET name = 'held'; SELECT pg_sleep(3); ROLLBACK`,
      );
      const waiting = `SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(3)%' AND wait_event = 'PgSleep'`;
      await eventually('the lock', async () => Number(await server.sql(config.database, waiting)) > 0);
      assert.match(
        await refusal(hurried.tokens.change([id], revoking)),
        /keeps what is to be changed locked/,
      );
      await holder;
      const [outcome] = await hurried.tokens.change([id], revoking);
      assert.equal(outcome?.after.version, 2);
    });

    test('a server that falls silent lets reads and changes fail, and is used again when it speaks', async () => {
      const [id] = (await tokens(1)) as [TokenId];
      const hurried = await openPostgresStore({ ...config, ...limits }, systemClock);
      stores = [...stores, hurried];
      assert.ok(await hurried.tokens.get(id));
      server.pause();
      try {
        const messages = await Promise.all([
          refusal(hurried.tokens.get(id)),
          refusal(hurried.tokens.change([id], revoking)),
        ]);
        for (const message of messages)
          assert.match(message, new RegExp(`did not answer within ${boundMs / 1_000} s|does not answer`));
      } finally {
        server.resume();
      }
      await eventually('an answer', async () => (await hurried.tokens.get(id)) !== null);
    });

    test('a server that is restarted is asked again by itself', async () => {
      const [id] = (await tokens(1)) as [TokenId];
      await server.crash();
      assert.match(await refusal(store(0).tokens.get(id)), /cannot be reached|broke off|being shut down/);
      await server.start();
      await eventually('an answer', async () => (await store(0).tokens.get(id)) !== null);
      await store(0).tokens.change([id], revoking);
    });
  });

  describe('the journal as a channel', () => {
    const [heard, told] = [
      (calls: readonly string[]) => calls.filter((call) => call === 'heard').length,
      (changes: readonly Change[], id: TokenId) =>
        changes.some((change) => change.kind === 'token' && change.tokenId === id),
    ];

    test('a change is told at once, not at the next look', async () => {
      const [id] = (await tokens(1)) as [TokenId];
      const looks: (() => void)[] = [];
      const database = await openPostgres({
        config,
        clock: systemClock,
        randomBytes: systemRandom,
      });
      const every = (_everyMs: number, look: () => void) => {
        looks.push(look);
        return () => undefined;
      };
      const feed = new PostgresJournalFeed({ database, clock: systemClock, connectTimeoutMs: 2_000, every });
      const listener = recordingListener();
      await feed.start(listener);
      await store(1).tokens.change([id], revoking);
      await eventually('the change', () => told(listener.changes, id));
      assert.equal(looks.length, 1, 'nobody looked by the clock');
      await feed.stop();
      await database.close();
    });

    test('a connection that is ended by an admin is made again, and nothing is missed', async () => {
      const [id] = (await tokens(1)) as [TokenId];
      const feed = store(0).journal();
      const listener = recordingListener();
      await feed.start(listener);
      const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%journal%' AND usename = 'latchkey'`;
      await server.sql(config.database, end);
      await store(1).tokens.change([id], revoking);
      await eventually('the change', () => told(listener.changes, id));
      assert.equal(listener.calls.includes('gap'), false);
      await feed.stop();
    });

    test('a server that is silent or away is not heard, and tells what happened meanwhile when it is back', async () => {
      const [one, two] = (await tokens(2)) as [TokenId, TokenId];
      const feed = store(0).journal();
      const listener = recordingListener();
      await feed.start(listener);
      server.pause();
      const before = heard(listener.calls);
      // Longer than a look may take.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      assert.ok(heard(listener.calls) <= before + 1, 'at most a look that was under way');
      server.resume();
      await store(1).tokens.change([one], revoking);
      await eventually('the change', () => told(listener.changes, one));
      await server.crash();
      await server.start();
      await eventually('the other store', async () => (await store(1).tokens.get(two)) !== null);
      await store(1).tokens.change([two], revoking);
      await eventually('the change', () => told(listener.changes, two));
      assert.equal(listener.calls.includes('gap'), false);
      await feed.stop();
    });

    test('a database that has become an older copy of itself is a gap', async () => {
      const [one, two] = (await tokens(2)) as [TokenId, TokenId];
      const feed = store(0).journal();
      const listener = recordingListener();
      await feed.start(listener);
      await store(1).tokens.change([one], revoking);
      await eventually('the change', () => told(listener.changes, one));
      // The same number, and another change: what a standby that lagged behind tells once it is the primary.
      await server.sql(config.database, `UPDATE journal SET id = '${two}'`);
      await eventually('a gap', () => listener.calls.includes('gap'));
      await eventually('being heard again', () => listener.calls.at(-1) === 'heard');
      await feed.stop();
    });
  });
});
