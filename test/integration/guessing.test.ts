import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { mintToken } from '../../src/tokens/mint.ts';
import { systemRandom } from '../../src/core/random.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { basic, route, startGateway } from '../support/gateway.ts';
import type { Gateway, GatewayOptions } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import type { HttpMessage } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordingBackend } from '../support/recording-backend.ts';
import { startRedis } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';

const perAccount = 5;
const perClient = 30;
const limits = { failuresPerAccount: perAccount, failuresPerClient: perClient, passwordQueue: 1_000 };
const password = 'the main password of alice';
/** Well formed, and nobody's. */
const unknownToken = (): string => mintToken(systemRandom);

/** Believes X-Forwarded-For of the test, so that it can come from anywhere. */
function options(backend: RecordingBackend, config: Readonly<Record<string, unknown>> = {}): GatewayOptions {
  return {
    routes: [
      route({ backend: backend.url }),
      route({ name: 'open', match: { path: '/open/' }, backend: backend.url, mainPassword: 'allow' }),
    ],
    config: { limits, trustedProxies: ['127.0.0.1'], ...config },
  };
}

/** Sends these Authorization fields one after the other over one connection; the answers in order. */
async function askAll(
  port: number,
  from: string,
  authorizations: readonly string[],
  target = '/file',
): Promise<readonly HttpMessage[]> {
  const raw = await openRaw(port);
  const answers: HttpMessage[] = [];
  for (const each of authorizations) {
    await raw.send(head('GET', target, [`Authorization: ${each}`, `X-Forwarded-For: ${from}`]));
    answers.push(await raw.nextResponse(30_000));
  }
  raw.destroy();
  return answers;
}

const statuses = (answers: readonly HttpMessage[]): readonly number[] => answers.map(status);

function counted(answers: readonly HttpMessage[]): Readonly<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const each of statuses(answers)) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
}

let nextHost = 0;
/** An address that no other test comes from. */
const freshAddress = (): string => `198.51.100.${++nextHost}`;

describe('guessing', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let token: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway(options(backend));
    await gateway.user('alice', password);
    await gateway.user('Zoë', 'the main password of Zoë');
    token = await gateway.token();
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );

  const ask = async (from: string, authorization: string, target = '/file'): Promise<HttpMessage> =>
    (await askAll(gateway.port, from, [authorization], target))[0] as HttpMessage;

  test('by a client ends in 429 with Retry-After, while valid tokens pass from the same address', async () => {
    const from = freshAddress();
    const guesses = Array.from({ length: perClient }, () => `Bearer ${unknownToken()}`);
    assert.deepEqual(counted(await askAll(gateway.port, from, guesses)), { 401: perClient });
    const late = await ask(from, `Bearer ${unknownToken()}`);
    assert.equal(status(late), 429);
    const seconds = Number(field(late, 'Retry-After'));
    assert.ok(Number.isInteger(seconds) && seconds > 800 && seconds <= 900, `${seconds} s`);
    assert.equal(field(late, 'WWW-Authenticate'), null);
    assert.equal(field(late, 'Cache-Control'), 'no-store');
    const good = [`Bearer ${token}`, `Bearer ${await gateway.token({ args: ['--sliding', '7d'] })}`];
    assert.deepEqual(statuses(await askAll(gateway.port, from, good)), [200, 200]);
    assert.equal(status(await ask(freshAddress(), `Bearer ${unknownToken()}`)), 401);
  });

  test('with a hundred random credentials for each good request refuses none of the good ones', async () => {
    const from = freshAddress();
    const forms = [
      (at: string) => `Bearer ${unknownToken()}${at.endsWith('7') ? 'x' : ''}`,
      (at: string) => basic(`user ${at}`, unknownToken()),
      (at: string) => basic('alice', `guess ${at}`),
      (at: string) => basic('mallory', `guess ${at}`),
    ];
    const limitedBefore = await gateway.metric('latchkey_rate_limited_total');
    const rounds = Array.from({ length: 4 }, async (_, lane) => {
      const goods: HttpMessage[] = [];
      const bads: HttpMessage[] = [];
      for (let round = 0; round < 5; round++) {
        const storm = Array.from(
          { length: 100 },
          (__, at) => forms[at % 4]?.(`${lane} ${round} ${at}`) ?? '',
        );
        const good = lane % 2 === 0 ? `Bearer ${token}` : basic('alice', token);
        const answers = await askAll(gateway.port, from, [...storm, good]);
        goods.push(answers.at(-1) as HttpMessage);
        bads.push(...answers.slice(0, -1));
      }
      return { goods, bads };
    });
    const lanes = await Promise.all(rounds);
    assert.deepEqual(counted(lanes.flatMap(({ goods }) => goods)), { 200: 20 });
    const { 401: refused = 0, 429: limited = 0, ...other } = counted(lanes.flatMap(({ bads }) => bads));
    assert.deepEqual(other, {});
    assert.equal(refused + limited, 2_000);
    assert.ok(refused <= perClient, `${refused} answered 401`);
    await eventually('the metric to count them', async () => {
      return (await gateway.metric('latchkey_rate_limited_total')) - limitedBefore === limited;
    });
    const attempts = await gateway.metric('latchkey_auth_attempts_total', { result: 'unknown' });
    assert.ok(attempts > 0, 'refusals are counted by reason, throttled or not');
    await eventually('an access line to say why', () =>
      Promise.resolve(
        gateway.logLines().some((line) => {
          const access = line['access'] as { status: number; outcome: string } | undefined;
          return access?.status === 429 && access.outcome === 'too_many_failures';
        }),
      ),
    );
  });

  test('at an account is counted by its folded name, from every address', async () => {
    const names = ['Zoë', 'ZOË', 'zoe\u0308', 'ｚｏë', 'zoë'];
    for (const name of names)
      assert.equal(status(await ask(freshAddress(), basic(name, unknownToken()))), 401, name);
    for (const name of names)
      assert.equal(status(await ask(freshAddress(), basic(name, unknownToken()))), 429, name);
    assert.equal(status(await ask(freshAddress(), basic('zoe', unknownToken()))), 401, 'somebody else');
    assert.equal(status(await ask(freshAddress(), `Bearer ${unknownToken()}`)), 401, 'nobody in particular');
    const good = await gateway.token({ user: 'Zoë' });
    assert.equal(status(await ask(freshAddress(), basic('zoë', good))), 200);
  });

  test('is not what a client does that repeats one dead secret', async () => {
    const from = freshAddress();
    const dead = basic('carol', unknownToken());
    const answers = await askAll(gateway.port, from, Array<string>(perClient * 3).fill(dead));
    assert.deepEqual(counted(answers), { 401: perClient * 3 });
  });

  test('of main passwords hashes no more than the limit, and leaves tokens and the known password alone', async () => {
    await gateway.user('dora', 'the main password of dora');
    const doraToken = await gateway.token({ user: 'dora' });
    const known = basic('dora', 'the main password of dora');
    const [home, away] = [freshAddress(), freshAddress()];
    assert.equal(status(await ask(home, known, '/open/file')), 200);

    const storm = Promise.all(
      Array.from({ length: 40 }, (_, at) =>
        ask(freshAddress(), basic('Dora', `wrong password ${at}`), '/open/file'),
      ),
    );
    const traffic = await askAll(
      gateway.port,
      away,
      Array<string>(100).fill(basic('dora', doraToken)),
      '/open/x',
    );
    assert.deepEqual(counted(traffic), { 200: 100 });
    assert.deepEqual(counted(await storm), { 401: perAccount, 429: 40 - perAccount });
    const hashed = await gateway.metric('latchkey_auth_attempts_total', { result: 'wrong_password' });
    assert.equal(hashed, perAccount);
    assert.equal(status(await ask(away, known, '/open/file')), 200);
    const uncached = await ask(away, basic('dora', 'another password'), '/open/file');
    assert.equal(status(uncached), 429);
  });

  describe('cannot tell why a credential is refused:', () => {
    const refusals = new Map<string, string>();
    before(async () => {
      const command = async (...args: readonly string[]): Promise<string> => {
        const { code, stdout, stderr } = await gateway.command(args);
        assert.equal(code, 0, stderr);
        return stdout.trim();
      };
      const mint = async (
        user: string,
        ...args: readonly string[]
      ): Promise<{ id: string; value: string }> => {
        const made = await command(
          'token',
          'create',
          '--user',
          user,
          '--name',
          't',
          '--scope',
          '*',
          '--json',
          ...args,
        );
        const [value = ''] = /lk_\w{42}/.exec(made) ?? [];
        const [, id = ''] = /"id":\s*"([^"]+)"/.exec(made) ?? [];
        return { id, value };
      };
      await gateway.user('eve', 'the main password of eve');
      await gateway.user('frank');
      const revoked = await mint('eve');
      await command('token', 'revoke', revoked.id);
      const disabled = await mint('eve');
      await command('token', 'disable', disabled.id);
      const ofDisabled = await mint('frank');
      await command('user', 'disable', 'frank');
      refusals.set('unknown token', basic('eve', unknownToken()));
      refusals.set('unknown user', basic('nobody', unknownToken()));
      refusals.set('malformed secret', basic('eve', 'hunter2'));
      refusals.set('malformed token', basic('eve', `lk_${'C'.repeat(42)}`));
      refusals.set('revoked', basic('eve', revoked.value));
      refusals.set('disabled', basic('eve', disabled.value));
      refusals.set('user disabled', basic('frank', ofDisabled.value));
      refusals.set('expired', basic('eve', (await mint('eve', '--expires', '1s')).value));
      refusals.set('not yet valid', basic('eve', (await mint('eve', '--not-before', '1d')).value));
      refusals.set('other network', basic('eve', (await mint('eve', '--network', '203.0.113.0/24')).value));
      refusals.set('other user', basic('eve', token));
    });

    /** Everything that was answered but for the date and the number of the request. */
    const visible = ({ head: fields, body }: HttpMessage): string =>
      `${fields}${body.toString()}`
        .replace(/^Date: .*\r\n/im, '')
        .replace(/"requestId":"[^"]+"/, '"requestId":"…"');

    const compare = async (from: string, expected: number): Promise<void> => {
      const answers = new Map<string, string>();
      for (const [name, authorization] of refusals) {
        const answer = await ask(from, authorization);
        assert.equal(status(answer), expected, name);
        answers.set(name, visible(answer).replace(/^Retry-After: \d+/im, 'Retry-After: …'));
      }
      assert.equal(new Set(answers.values()).size, 1, JSON.stringify([...answers], null, 2));
    };

    test('one 401 for all of them', async () => {
      const expired = refusals.get('expired') ?? '';
      await eventually('the token to expire', async () => status(await ask(freshAddress(), expired)) === 401);
      await compare(freshAddress(), 401);
    });

    test('and beyond the limit one 429', async () => {
      const from = freshAddress();
      await askAll(
        gateway.port,
        from,
        Array.from({ length: perClient }, () => `Bearer ${unknownToken()}`),
      );
      await compare(from, 429);
    });
  });
});

describe('a client nobody vouches for', () => {
  test('does not escape by naming other addresses in X-Forwarded-For', async () => {
    const backend = await startRecordingBackend();
    const gateway = await startGateway(options(backend, { trustedProxies: [] }));
    try {
      const answers: HttpMessage[] = [];
      for (let at = 0; at < perClient + 5; at++) {
        const fields = [`Authorization: Bearer ${unknownToken()}`, `X-Forwarded-For: 203.0.113.${at}`];
        answers.push(await exchange(gateway.port, 'GET', '/file', fields));
      }
      assert.deepEqual(counted(answers), { 401: perClient, 429: 5 });
    } finally {
      await endAll(
        () => gateway.stop(),
        () => backend.close(),
      );
    }
  });
});

describe('two gateways on one Redis', requireProgram('redis-server', 'redis-cli'), () => {
  test('count guesses together, tell Redis nothing, and count each for itself once it is gone', async () => {
    const scratch = await makeScratch('guessing');
    const redis = await startRedis();
    const backend = await startRecordingBackend();
    const gateways: Gateway[] = [];
    try {
      await writeFile(scratch.file('pepper'), 'a pepper that two gateways share in a test');
      const config = {
        store: `sqlite:${scratch.file('store.db')}`,
        peppers: [{ id: 'shared', secret: { fromFile: scratch.file('pepper') } }],
        redis: redis.url,
      };
      gateways.push(await startGateway(options(backend, config)));
      gateways.push(await startGateway(options(backend, config)));
      const [first, second] = gateways as [Gateway, Gateway];
      const guess = (): string => basic('alice', unknownToken());
      const from = freshAddress();
      const there = async (gateway: Gateway, authorization: string): Promise<number> =>
        status((await askAll(gateway.port, from, [authorization]))[0] as HttpMessage);

      for (let at = 0; at < perAccount; at++) assert.equal(await there(first, guess()), 401);
      await there(second, guess());
      await eventually('the second to hear of it', async () => (await there(second, guess())) === 429);
      const kept = await redis.snapshot('latchkey:failures:*');
      assert.ok(kept.size > perAccount);
      assert.doesNotMatch(JSON.stringify([...kept]), new RegExp(`alice|${from}|lk_`));

      await redis.kill();
      const other = (): string => basic('bob', unknownToken());
      for (let at = 0; at < perAccount; at++) assert.equal(await there(second, other()), 401);
      assert.equal(await there(second, other()), 429);
      assert.equal(await there(second, guess()), 429);
    } finally {
      await endAll(
        ...gateways.map((gateway) => () => gateway.stop()),
        () => backend.close(),
        () => redis.stop(),
        () => scratch.remove(),
      );
    }
  });
});
