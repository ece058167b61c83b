import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { basic, type Gateway, route, startGateway } from '../support/gateway.ts';
import { type PostgresServer, requirePostgres, startPostgres } from '../support/postgres.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { gatewayPeppers } from '../support/token-office.ts';

describe('gateways on one PostgreSQL database, without Redis', requirePostgres(), () => {
  let server: PostgresServer;
  let backend: RecordingBackend;
  let gateways: readonly [Gateway, Gateway];
  let store: string;
  before(async () => {
    [server, backend] = [await startPostgres(), await startRecordingBackend()];
    store = server.url(await server.createDatabase());
    const start = (): Promise<Gateway> =>
      startGateway({
        ...gatewayPeppers,
        config: { ...gatewayPeppers.config, store, routes: [route({ backend: backend.url })] },
      });
    gateways = await Promise.all([start(), start()]);
  });
  after(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await backend.close();
    await server.stop();
  });

  async function status(gateway: Gateway, token: string): Promise<number> {
    const response = await fetch(`${gateway.url}/file`, {
      headers: { authorization: basic('alice', token) },
    });
    await response.arrayBuffer();
    return response.status;
  }

  async function idOf(token: string): Promise<string> {
    const { stdout } = await gateways[0].command(['token', 'list', '--json']);
    const tokens = JSON.parse(stdout) as readonly { readonly id: string; readonly prefix: string }[];
    return tokens.find(({ prefix }) => token.startsWith(prefix))?.id ?? assert.fail('no such token');
  }

  test('what one has been told to revoke the other refuses, though it had it in memory', async () => {
    const [one, other] = gateways;
    await one.user('alice');
    const token = await one.token({ args: ['--expires', '30d'] });
    for (const gateway of [one, other, one, other]) assert.equal(await status(gateway, token), 200);
    const revoked = await one.command(['token', 'revoke', await idOf(token)]);
    assert.equal(revoked.code, 0, revoked.stderr);
    for (const gateway of gateways) {
      await eventually('the refusal', async () => (await status(gateway, token)) === 401);
    }
  });

  test('without the server nothing is allowed on doubt: 503, never 401, until it is back', async () => {
    const [one, other] = gateways;
    const token = await one.token();
    for (const gateway of gateways) assert.equal(await status(gateway, token), 200);
    await server.crash();
    const seen = new Set<number>();
    for (const gateway of gateways) {
      await eventually(
        'the caches to be in doubt',
        async () => {
          const answer = await status(gateway, token);
          seen.add(answer);
          return answer === 503;
        },
        { withinMs: 15_000 },
      );
      assert.equal(await gateway.adminStatus('/readyz'), 503);
    }
    await server.start();
    for (const gateway of gateways) {
      await eventually('an answer', async () => {
        const answer = await status(gateway, token);
        seen.add(answer);
        return answer === 200;
      });
    }
    assert.deepEqual(
      [...seen].toSorted((one, other) => one - other),
      [200, 503],
    );
    assert.equal(await other.adminStatus('/readyz'), 200);
  });

  test('last use is written', async () => {
    const [one] = gateways;
    const token = await one.token({ args: ['--expires', '29d'] });
    assert.equal(await status(one, token), 200);
    const used = `SELECT count(*) FROM tokens WHERE last_used_address = '127.0.0.1' AND left(name, 4) = 'test'`;
    const database = new URL(store).pathname.slice(1);
    await eventually('the use', async () => Number(await server.sql(database, used)) > 0, {
      withinMs: 15_000,
    });
  });

  test('the doctor says how the database is, and what it lacks', async () => {
    const { stdout } = await gateways[0].command(['doctor']);
    assert.match(stdout, /answers in \d+\.\d ms, version \d+\S*.*; its tables are up to date/);
    assert.match(stdout, /fsync or full_page_writes is off: a crash there may lose tokens and revocations/);
    assert.match(stdout, /peppers: understands every token of the store/);
    const empty = server.url(await server.createDatabase());
    const fresh = await gateways[0].command(['doctor', '--store', empty]);
    assert.match(fresh.stdout, /its tables will be made at the first start/);
    const database = new URL(empty).pathname.slice(1);
    assert.equal(
      await server.sql(database, `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`),
      '0',
    );
    const wrong = await gateways[0].command(['doctor', '--store', server.url('nobodys')]);
    assert.match(wrong.stdout, /has no such database: make it with CREATE DATABASE/);
  });

  test('a gateway that would make a pepper of its own beside that of another one does not start', async () => {
    const own = server.url(await server.createDatabase());
    const config = { store: own, routes: [route({ backend: backend.url })] };
    const first = await startGateway({ config });
    await assert.rejects(
      startGateway({ config }),
      /has the pepper "[0-9a-f]+" of another gateway: copy the file pepper from its dataDir to this one's/,
    );
    await first.stop();
  });

  test('nor does one beside others whose pepper is configured, or with another secret under the same id', async () => {
    const own = server.url(await server.createDatabase());
    const config = { store: own, routes: [route({ backend: backend.url })] };
    const peppers = [{ id: 'shared', secret: { fromEnv: 'SHARED_PEPPER' } }];
    const withSecret = (letter: string) => ({
      config: { ...config, peppers },
      env: { SHARED_PEPPER: letter.repeat(40) },
    });
    const first = await startGateway(withSecret('a'));
    await assert.rejects(startGateway({ config }), /has the pepper "shared" of another gateway/);
    await assert.rejects(
      startGateway(withSecret('b')),
      /has seen another secret under the pepper "shared".*give every gateway the same/,
    );
    const second = await startGateway(withSecret('a'));
    await Promise.all([first.stop(), second.stop()]);
  });
});
