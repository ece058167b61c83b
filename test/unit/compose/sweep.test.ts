import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Kept, keptForAWhile, startSweep } from '../../../src/compose/sweep.ts';
import { openStore } from '../../../src/compose/store.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { type SteppedClock, steppedClock } from '../../support/stepped-clock.ts';
import { auditEvent, epoch, sessionRecord, userRecord } from '../../support/store-records.ts';
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
  async function sweepOnce(kept: readonly Kept[]): Promise<readonly string[]> {
    const logged: string[] = [];
    const say = (fields: unknown, message: string): void =>
      void logged.push(`${JSON.stringify(fields)} ${message}`);
    const timer: (() => void)[] = [];
    const stop = startSweep({
      lifecycle: world.lifecycle,
      kept,
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
    const watched: Kept = {
      name: 'audit events',
      async prune(now, limit) {
        const removed = await world.tokens.pruneAudit(now - 400 * dayMs, limit);
        portions.push(removed);
        return removed;
      },
    };
    clock.advance(400 * dayMs);
    assert.deepEqual(await sweepOnce([watched]), []);
    await world.addUser('bob');
    clock.advance(1);
    const logged = await sweepOnce([watched]);
    assert.deepEqual(logged, ['{"pruned":602} removed: audit events']);
    assert.deepEqual(portions, [0, 500, 102]);
    assert.deepEqual(await actions(), ['user.add']);
  });

  test('goes on where the store fails', async () => {
    const logged = await sweepOnce([
      { name: 'these', prune: () => Promise.reject(new Error('disk')) },
      { name: 'those', prune: () => Promise.resolve(1) },
    ]);
    assert.equal(logged.length, 2);
    assert.match(logged[0] ?? '', /could not be removed: these; the next sweep tries again/);
    assert.match(logged[1] ?? '', /"pruned":1.* removed: those/);
  });

  test('forgets all that is kept for a while only, and nothing that still counts', async () => {
    const scratchHere = await makeScratch('kept');
    const hourMs = 3_600_000;
    const place = { kind: 'sqlite', path: scratchHere.file('latchkey.db') } as const;
    const store = await openStore({ store: place, peppers: null, dataDir: scratchHere.path }, clock);
    const portal = {
      enabled: true,
      url: null,
      sessionIdleMs: hourMs,
      sessionMs: dayMs,
      confirmationMs: hourMs,
    };
    const user = userRecord('kept');
    const event = auditEvent('user.add');
    await store.users.insert(user, event);
    const [over, counting] = [sessionRecord(user.id), sessionRecord(user.id, { seenAt: epoch + 1 })];
    for (const session of [over, counting]) {
      await store.sessions.insert({ ...session, endsAt: epoch + dayMs }, null, event);
    }
    await store.repeated.begin('a', 'old', 'r', epoch + hourMs - dayMs - 1);
    await store.repeated.begin('a', 'young', 'r', epoch + hourMs - dayMs);
    const removed: Record<string, number> = {};
    for (const each of keptForAWhile(store, { portal, audit: { keepMs: 400 * dayMs } })) {
      removed[each.name] = await each.prune(epoch + hourMs, 100);
    }
    assert.deepEqual(removed, {
      'audit events older than audit.keep': 0,
      'browser sessions that are over': 1,
      'answers to requests that may come again': 1,
      'warnings of past ends': 0,
    });
    assert.equal((await store.sessions.listOf(user.id, epoch, 0))[0]?.id, counting.id);
    await store.close();
    await scratchHere.remove();
  });
});
