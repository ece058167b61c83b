import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { basic, type Gateway, route, startGateway } from '../support/gateway.ts';
import { field, type HttpMessage, status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { type RedisServer, startRedis } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { type SettableClock, settableClock } from '../support/settable-clock.ts';
import { gatewayPeppers, openTokenOffice, type TokenOffice } from '../support/token-office.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Two gateways on one store and one Redis. The wall clock of the first is set, that of the second is right. */
describe('a gateway whose wall clock is set', requireProgram('redis-server', 'redis-cli'), () => {
  let scratch: Scratch;
  let redis: RedisServer;
  let backend: RecordingBackend;
  let clock: SettableClock;
  let stepped: Gateway;
  let right: Gateway;
  let office: TokenOffice;
  before(async () => {
    scratch = await makeScratch('clock-steps');
    [redis, backend] = await Promise.all([startRedis(), startRecordingBackend()]);
    clock = settableClock(scratch);
    const start = (env: Readonly<Record<string, string>>): Promise<Gateway> =>
      startGateway({
        routes: [
          route({
            backend: backend.url,
            identity: { user: 'X-Remote-User', assertion: 'X-Latchkey-Assertion' },
          }),
        ],
        config: {
          ...gatewayPeppers.config,
          store: `sqlite:${scratch.file('latchkey.db')}`,
          redis: { nodes: [`127.0.0.1:${redis.port}`] },
          limits: { failuresPerAccount: 3 },
        },
        env: { ...gatewayPeppers.env, ...env },
      });
    stepped = await start(clock.env);
    right = await start({});
    office = await openTokenOffice(scratch.file('latchkey.db'), redis.config());
  });
  afterEach(() => clock.set(stepped, 0));
  after(() =>
    endAll(
      () => office?.close(),
      () => stepped?.stop(),
      () => right?.stop(),
      () => redis?.stop(),
      () => backend?.close(),
      () => scratch?.remove(),
    ),
  );

  const asked = (gateway: Gateway, authorization: string): Promise<HttpMessage> =>
    exchange(gateway.port, 'GET', '/a', [`Authorization: ${authorization}`]);
  const ask = async (gateway: Gateway, secret: string): Promise<number> =>
    status(await asked(gateway, `Bearer ${secret}`));
  /** What each of the tokens is answered, by its label. */
  async function answers(gateway: Gateway, tokens: Readonly<Record<string, { readonly secret: string }>>) {
    const given: Record<string, number> = {};
    for (const [label, { secret }] of Object.entries(tokens)) given[label] = await ask(gateway, secret);
    return given;
  }
  async function assertRevocable(secret: string, id: Parameters<TokenOffice['revoke']>[0]): Promise<void> {
    await office.revoke(id);
    for (const gateway of [stepped, right]) {
      await eventually('the refusal', async () => (await ask(gateway, secret)) === 401);
    }
  }
  /** Seconds of the assertion that a request with this token brings to the backend. */
  async function assertedAt(gateway: Gateway, secret: string): Promise<number> {
    backend.forget();
    assert.equal(await ask(gateway, secret), 200);
    const [request] = backend.requests;
    const [, claims = ''] = (request && field(request, 'x-latchkey-assertion'))?.split('.') ?? [];
    return (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { readonly iat: number }).iat;
  }

  test('an hour ahead refuses what ends within the hour and nothing else, and takes it again once it is right', async () => {
    const now = Date.now();
    const tokens = {
      lasting: await office.mint('alice'),
      ending: await office.mint('alice', { expiresAt: now + 30 * minuteMs }),
      sliding: await office.mint('alice', { slidingMs: 90 * minuteMs }),
      unused: await office.mint('alice', { slidingMs: 30 * minuteMs }),
      starting: await office.mint('alice', { notBefore: now + 30 * minuteMs }),
    };
    const usual = { lasting: 200, ending: 200, sliding: 200, unused: 200, starting: 401 };
    assert.deepEqual(await answers(stepped, tokens), usual);
    await clock.set(stepped, hourMs);
    const ahead = { lasting: 200, ending: 401, sliding: 200, unused: 401, starting: 200 };
    assert.deepEqual(await answers(stepped, tokens), ahead);
    assert.deepEqual(await answers(right, tokens), usual);
    await clock.set(stepped, 0);
    assert.deepEqual(await answers(stepped, tokens), usual);
  });

  test('an hour back refuses what begins within the hour, takes what ended in it, and neither once it is right', async () => {
    const ended = await office.mint('alice', { expiresAt: Date.now() + 500 });
    await eventually('its end', async () => (await ask(stepped, ended.secret)) === 401);
    const tokens = {
      ended,
      lasting: await office.mint('alice'),
      begun: await office.mint('alice', { notBefore: Date.now() - 30 * minuteMs }),
      sliding: await office.mint('alice', { slidingMs: 30 * minuteMs }),
    };
    const usual = { ended: 401, lasting: 200, begun: 200, sliding: 200 };
    assert.deepEqual(await answers(stepped, tokens), usual);
    await clock.set(stepped, -hourMs);
    assert.deepEqual(await answers(stepped, tokens), { ...usual, begun: 401, ended: 200 });
    await clock.set(stepped, 0);
    assert.deepEqual(await answers(stepped, tokens), usual);
  });

  for (const [where, offMs] of [
    ['ahead', hourMs],
    ['back', -hourMs],
  ] as const) {
    test(`an hour ${where} forgets no revocation and honours new ones, without a fault`, async () => {
      const [before, during, after] = [
        await office.mint('bob'),
        await office.mint('bob'),
        await office.mint('bob'),
      ];
      for (const gateway of [stepped, right])
        assert.deepEqual(await answers(gateway, { before, during, after }), {
          before: 200,
          during: 200,
          after: 200,
        });
      await assertRevocable(before.secret, before.id);
      await clock.set(stepped, offMs);
      assert.deepEqual(await answers(stepped, { before, during, after }), {
        before: 401,
        during: 200,
        after: 200,
      });
      await assertRevocable(during.secret, during.id);
      const made = await office.mint('bob');
      assert.deepEqual(await answers(stepped, { made }), { made: 200 });
      await clock.set(stepped, 0);
      const set = { before: 401, during: 401, after: 200, made: 200 };
      assert.deepEqual(await answers(stepped, { before, during, after, made }), set);
      await assertRevocable(after.secret, after.id);
      const faults = stepped.logLines().filter((line) => /^5/.test(String(statusOf(line))));
      assert.deepEqual(faults, []);
    });

    test(`an hour ${where} ends no wait for guessers, and lengthens none`, async () => {
      const guess = (count: number): Promise<HttpMessage> =>
        asked(stepped, basic(`victim-${where}`, `guess ${count}`));
      for (let count = 0; count < 4; count++) await guess(count);
      await clock.set(stepped, offMs);
      const answer = await guess(99);
      assert.equal(status(answer), 429);
      const seconds = Number(field(answer, 'retry-after'));
      assert.ok(seconds > 0 && seconds <= 900, String(seconds));
    });

    test(`an hour ${where} shows in assertions and access lines, and in no duration`, async () => {
      const { secret } = await office.mint('carol');
      const nowSeconds = (): number => Date.now() / 1_000;
      assert.ok(Math.abs((await assertedAt(stepped, secret)) - nowSeconds()) < 60);
      await clock.set(stepped, offMs);
      assert.ok(Math.abs((await assertedAt(stepped, secret)) - nowSeconds() - offMs / 1_000) < 60);
      const last = await eventually('the access line', () =>
        stepped.logLines().findLast((line) => Math.abs(Number(line['time']) - Date.now() - offMs) < minuteMs),
      );
      const { durationMs } = last['access'] as { readonly durationMs: number };
      assert.ok(durationMs >= 0 && durationMs < minuteMs, String(durationMs));
      await clock.set(stepped, 0);
      assert.ok(Math.abs((await assertedAt(stepped, secret)) - nowSeconds()) < 60, 'no longer than it lasts');
    });
  }
});

function statusOf(line: Readonly<Record<string, unknown>>): unknown {
  return (line['access'] as { readonly status?: unknown } | undefined)?.status;
}
