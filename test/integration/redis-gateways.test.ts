import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordingBackend } from '../support/recording-backend.ts';
import { startRedis } from '../support/redis-server.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';
import type { Scratch } from '../support/scratch.ts';

describe('two gateways on one store and one Redis', requireProgram('redis-server', 'redis-cli'), () => {
  let scratch: Scratch;
  let redis: RedisServer;
  let backend: RecordingBackend;
  let gateways: readonly Gateway[];

  before(async () => {
    scratch = await makeScratch('gateways');
    redis = await startRedis({ password: 'between-gateways' });
    backend = await startRecordingBackend();
    await writeFile(scratch.file('pepper'), 'a pepper that two gateways share in a test');
    await writeFile(scratch.file('redis-password'), 'between-gateways\n');
    const config = {
      store: `sqlite:${scratch.file('store.db')}`,
      peppers: [{ id: 'shared', secret: { fromFile: scratch.file('pepper') } }],
      redis: { nodes: [`127.0.0.1:${redis.port}`], password: { fromFile: scratch.file('redis-password') } },
    };
    const start = (): Promise<Gateway> => startGateway({ backend: backend.url, config });
    gateways = [await start(), await start()];
    await gateways[0]?.user('alice');
  });
  after(async () => {
    await Promise.all(gateways.map((gateway) => gateway.stop()));
    await backend.close();
    await redis.stop();
    await scratch.remove();
  });

  const ask = async (gateway: Gateway, token: string): Promise<number> => {
    const answer = await fetch(`${gateway.url}/file`, { headers: { authorization: `Bearer ${token}` } });
    await answer.body?.cancel();
    return answer.status;
  };
  const eachAnswers = (token: string, status: number): Promise<true> =>
    eventually(`${status} from both`, async () => {
      const answers = await Promise.all(gateways.map((gateway) => ask(gateway, token)));
      return answers.every((answer) => answer === status);
    });

  test('a token made beside one is known to both, revoked by a command it is dead in both', async () => {
    const [first] = gateways;
    assert.ok(first !== undefined);
    const token = await first.token();
    await eachAnswers(token, 200);
    await eventually('it to be shared', async () => (await redis.snapshot('latchkey:*')).size > 0);
    const listed = JSON.parse((await first.command(['token', 'list', '--json'])).stdout) as readonly {
      id: string;
    }[];
    const revoked = await first.command(['token', 'revoke', listed[0]?.id ?? '']);
    assert.equal(revoked.code, 0, revoked.stderr);
    await eachAnswers(token, 401);
  });

  test('neither key nor entry in Redis holds a token, and no log the password of Redis', async () => {
    const token = await gateways[0]?.token({ scopes: ['path:/:r'] });
    assert.ok(token !== undefined);
    await eachAnswers(token, 200);
    const shared = await eventually('it to be shared', async () => {
      const found = await redis.snapshot('latchkey:*');
      return found.size > 0 ? found : null;
    });
    assert.ok(!JSON.stringify([...shared]).includes(token));
    assert.ok(gateways.every((gateway) => !gateway.output().includes('between-gateways')));
  });

  test('with Redis gone both go on, say so once, and hear of a revocation through the store', async () => {
    const [first, second] = gateways;
    assert.ok(first !== undefined && second !== undefined);
    const token = await second.token({ scopes: ['path:/:rw'] });
    await eachAnswers(token, 200);
    await redis.kill();
    await eachAnswers(token, 200);
    const revoked = await second.command(['token', 'revoke', '--user', 'alice', '--all']);
    assert.equal(revoked.code, 0, revoked.stderr);
    await eachAnswers(token, 401);
    for (const gateway of gateways) assert.equal(await gateway.adminStatus('/readyz'), 200);
    await redis.restart();
    await eventually('both to find it again', () =>
      gateways.every((gateway) => gateway.output().split('Redis answers').length === 3),
    );
  });
});
