import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { startSweep } from '../../../src/compose/sweep.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SteppedClock, steppedClock } from '../../support/stepped-clock.ts';
import { openTokenWorld, type TokenWorld } from '../../support/token-world.ts';

const dayMs = 86_400_000;

describe('the sweep', () => {
  let scratch: Scratch;
  let clock: SteppedClock;
  let world: TokenWorld;
  before(async () => {
    scratch = await makeScratch('sweep');
    clock = steppedClock();
    world = await openTokenWorld({ path: scratch.file('latchkey.db'), clock });
  });
  after(async () => {
    world.database.close();
    await scratch.remove();
  });

  /** One sweep from start to end; resolves to what it logged. */
  async function sweepOnce(store: Pick<TokenWorld['tokens'], 'pruneAudit'>): Promise<readonly string[]> {
    const logged: string[] = [];
    const say = (fields: unknown, message: string): void =>
      void logged.push(`${JSON.stringify(fields)} ${message}`);
    const timer: (() => void)[] = [];
    const stop = startSweep({
      lifecycle: world.lifecycle,
      store,
      auditKeepMs: 400 * dayMs,
      clock,
      log: { info: say, warn: say },
      every: (_everyMs, callBack) => {
        timer.push(callBack);
        return () => undefined;
      },
    });
    timer[0]?.();
    await stop();
    return logged;
  }

  const actions = async (): Promise<readonly string[]> =>
    (await world.tokens.audit({ limit: 5_000 })).map(({ action }) => action);

  test('forgets audit events older than audit.keep, all of them, in portions', async () => {
    const user = await world.addUser('alice');
    const { token } = await world.mint(user);
    for (let turn = 0; turn < 600; turn++) {
      await world.lifecycle.setEnabled({ name: 'test', address: null }, token.id, turn % 2 === 1);
    }
    const portions: number[] = [];
    const watched: typeof world.tokens.pruneAudit = async (moment, limit) => {
      const removed = await world.tokens.pruneAudit(moment, limit);
      portions.push(removed);
      return removed;
    };
    clock.advance(400 * dayMs);
    assert.deepEqual(await sweepOnce({ pruneAudit: watched }), []);
    await world.addUser('bob');
    clock.advance(1);
    const logged = await sweepOnce({ pruneAudit: watched });
    assert.deepEqual(logged, ['{"pruned":602} audit events removed that were older than audit.keep']);
    assert.deepEqual(portions, [0, 500, 102]);
    assert.deepEqual(await actions(), ['user.add']);
  });

  test('goes on with the next one where the store fails', async () => {
    const logged = await sweepOnce({ pruneAudit: () => Promise.reject(new Error('disk')) });
    assert.equal(logged.length, 1);
    assert.match(logged[0] ?? '', /could not be removed; the next sweep tries again/);
  });
});
