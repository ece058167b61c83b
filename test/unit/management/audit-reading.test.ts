import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Caller } from '../../../src/management/caller.ts';
import { isRefused } from '../../../src/management/refused.ts';
import type { ShownEvent } from '../../../src/management/audit.ts';
import type { AuditQuery } from '../../../src/tokens/token-store.ts';
import { type ManagementWorld, openManagementWorld } from '../../support/management-world.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { tester } from '../../support/token-world.ts';

let scratch: Scratch;
let clock: SteppedClock;
let world: ManagementWorld;
before(async () => {
  scratch = await makeScratch('audit-reading');
  clock = steppedClock();
  world = await openManagementWorld({ path: scratch.file('latchkey.db'), clock });
});
after(async () => {
  world.database.close();
  await scratch.remove();
});

async function read(caller: Caller, query: Partial<AuditQuery>): Promise<readonly ShownEvent[]> {
  const found = await world.audit.list(caller, { limit: 100, ...query });
  assert.ok(!isRefused(found), JSON.stringify(found));
  return found.items;
}

describe('the audit trail', () => {
  test('is read whole by admins and keys for audit, with the names of users, removed ones too', async () => {
    const gone = await world.user('gone', undefined, null);
    await world.users.remove(tester, gone.id);
    const root = await world.user('root', { role: 'admin' }, null);
    for (const caller of [await world.signIn(root), await world.key('audit')]) {
      const events = await read(caller, { userId: gone.id });
      assert.deepEqual(
        events.map(({ action, userName }) => [action, userName]),
        [
          ['user.remove', 'gone'],
          ['user.add', 'gone'],
        ],
      );
      const keys = await read(caller, { action: 'key.create' });
      assert.ok(keys.every(({ userName }) => userName === null));
    }
  });

  test('is filtered by actor, action, kind of action and time', async () => {
    const key = await world.key('audit');
    const user = await world.user('ann', undefined, null);
    const from = clock.now();
    clock.advance(1_000);
    await world.users.change({ name: 'user:filter', address: '192.0.2.1' }, user.id, { role: 'admin' });
    clock.advance(1_000);
    await world.users.change({ name: 'user:filter', address: '192.0.2.1' }, user.id, { disabled: true });
    const actions = async (query: Partial<AuditQuery>): Promise<readonly string[]> =>
      (await read(key, { actor: 'user:filter', ...query })).map(({ action }) => action);
    assert.deepEqual(await actions({}), ['user.disable', 'user.role']);
    assert.deepEqual(await actions({ action: 'user.role' }), ['user.role']);
    assert.deepEqual(await actions({ action: 'user.' }), ['user.disable', 'user.role']);
    assert.deepEqual(await actions({ action: 'token.' }), []);
    assert.deepEqual(await actions({ from, before: clock.now() }), ['user.role']);
  });

  test('shows a person what concerns itself, whoever did it', async () => {
    const user = await world.user('bea', undefined, null);
    await world.users.change({ name: 'user:boss', address: '192.0.2.1' }, user.id, { mayHaveTokens: true });
    const events = await read(await world.signIn(user), {});
    assert.deepEqual(
      events.map(({ action, actor, userName }) => [action, actor, userName]),
      [
        ['session.start', 'user:bea', 'bea'],
        ['user.tokens', 'user:boss', 'bea'],
        ['user.add', 'test', 'bea'],
      ],
    );
  });
});
