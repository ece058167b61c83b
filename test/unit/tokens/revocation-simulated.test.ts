import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { PepperId, UserId } from '../../../src/core/ids.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { createPeppers } from '../../../src/tokens/digest.ts';
import { mintToken } from '../../../src/tokens/mint.ts';
import type { OwnedToken } from '../../../src/tokens/token-store.ts';
import { tokenRecord } from '../../support/store-records.ts';
import { simulateGateways } from '../../support/simulated-gateways.ts';
import type { Trouble } from '../../support/simulated-gateways.ts';

const minuteMs = 60_000;
/** The token is revoked some time after this. */
const changesFrom = 10 * minuteMs;

const none: Trouble = {
  paused: null,
  journalSilent: null,
  channelCut: null,
  redisPaused: null,
  restartAt: null,
  clockWrong: null,
  clockSet: null,
};

/** Reproducible numbers from 0 to below 1 (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One life of one token, verified all the time, mostly around its revocation; rejects where the promise is broken. */
async function live(
  seed: number,
  troubleAt: (revokedAt: number, random: () => number) => Trouble,
  boundMs: number,
) {
  const random = numbers(seed);
  const revokedAt = changesFrom + random() * minuteMs;
  const peppers = createPeppers([{ id: 'p1', secret: 'a pepper for simulated gateways' }]);
  const secret = mintToken(systemRandom);
  const userId = '0195f6a0-0000-7000-8000-000000000001' as UserId;
  const owned: OwnedToken = {
    token: tokenRecord(userId, { digest: peppers.digest(secret), pepperId: 'p1' as PepperId, networks: [] }),
    owner: { id: userId, name: 'alice', disabled: false, version: 1 },
  };
  const world = simulateGateways({ random, trouble: troubleAt(revokedAt, random), peppers, secret, owned });

  const ask = (gateway: number): void => {
    const began = world.now();
    world.verify(gateway).then(
      ({ kind, tier }) => {
        if (kind === 'verified' && began > revokedAt + boundMs)
          wrong.push(`${began - revokedAt} ms late, from ${tier}`);
        if (kind === 'refused' && world.now() < revokedAt)
          wrong.push(`refused ${revokedAt - began} ms early`);
      },
      (error: unknown) => wrong.push(String(error)),
    );
  };
  const wrong: string[] = [];
  const askAround = (from: number, to: number, times: number): void => {
    for (let count = 0; count < times; count += 1) {
      const gateway = Math.floor(random() * 3);
      world.at(from + random() * (to - from), gateway, () => ask(gateway));
    }
  };
  const style = random();
  if (style < 0.3) {
    askAround(0, revokedAt, 20);
    askAround(revokedAt - 1_000, revokedAt + 1_000, 60);
    askAround(revokedAt, revokedAt + 20_000, 60);
    askAround(revokedAt, revokedAt + 40 * minuteMs, 120);
  } else if (style < 0.6) {
    // Nobody knows the token yet: reading and changing it overlap.
    askAround(revokedAt - 100, revokedAt + 1_000, 80);
  } else {
    // First read just before the change, so that what is left in Redis is old, and then hardly ever.
    askAround(revokedAt - 50, revokedAt, 1);
    askAround(revokedAt + 200, revokedAt + 40 * minuteMs, 6);
  }
  for (let minute = 1; minute < 45; minute += 1)
    world.at(minute * minuteMs, null, () => world.changeAnother());
  world.at(revokedAt, null, () =>
    world.change(({ token, owner }) => ({
      token: { ...token, revokedAt, version: token.version + 1 },
      owner,
    })),
  );
  await world.run();
  assert.deepEqual(wrong, []);
}

describe('no token comes back, whatever order things happen in', () => {
  const around = (revokedAt: number, random: () => number): { from: number; to: number } => {
    const from = revokedAt - random() * 10_000;
    return { from, to: from + random() * 60_000 };
  };
  const troubles: Record<string, (revokedAt: number, random: () => number) => Partial<Trouble>> = {
    'a gateway stopped for a while': (revokedAt, random) => ({ paused: around(revokedAt, random) }),
    'a silent journal': (revokedAt, random) => ({ journalSilent: around(revokedAt, random) }),
    'a journal silent for ever': (revokedAt) => ({
      journalSilent: { from: revokedAt - 30_000, to: Infinity },
    }),
    'a cut channel': (revokedAt, random) => ({ channelCut: around(revokedAt, random) }),
    'a paused Redis': (revokedAt, random) => ({ redisPaused: around(revokedAt, random) }),
    'a gateway started anew': (revokedAt, random) => ({ restartAt: revokedAt + random() * 20 * minuteMs }),
    'a gateway whose clock is wrong for a while': (revokedAt, random) => ({
      clockWrong: { ...around(revokedAt, random), byMs: (random() - 0.5) * 120 * minuteMs },
    }),
    'a gateway started anew with a clock that is wrong, and then set right': (revokedAt, random) => {
      const restartAt = revokedAt + random() * 5 * minuteMs;
      const to = restartAt + random() * 5 * minuteMs;
      return { restartAt, clockWrong: { from: restartAt, to, byMs: random() * 60 * minuteMs } };
    },
    'a clock set back': (revokedAt, random) => ({
      clockSet: { at: revokedAt + (random() - 0.3) * 15 * minuteMs, byMs: -random() * 30 * minuteMs },
    }),
    'a clock set ahead': (revokedAt, random) => ({
      clockSet: { at: revokedAt + (random() - 0.3) * 15 * minuteMs, byMs: random() * 30 * minuteMs },
    }),
  };

  test('without faults: 100 ms', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), (seed) => live(seed, () => none, 100)),
      { numRuns: 8 },
    );
  });

  for (const [name, trouble] of Object.entries(troubles)) {
    test(`with ${name}: 5 s`, async () => {
      const troubleAt = (revokedAt: number, random: () => number): Trouble => ({
        ...none,
        ...trouble(revokedAt, random),
      });
      await fc.assert(
        fc.asyncProperty(fc.integer(), (seed) => live(seed, troubleAt, 5_000)),
        { numRuns: 8 },
      );
    });
  }
});
