/** Whatever people and keys try in whatever order: nobody reaches beyond what is its own, and somebody can always manage. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { TokenId, UserId } from '../../../src/core/ids.ts';
import { canAdminister, type UserRecord } from '../../../src/identity/user-store.ts';
import { type Caller, isSelf, manages } from '../../../src/management/caller.ts';
import { isRefused } from '../../../src/management/refused.ts';
import type { TokenSettings } from '../../../src/tokens/token-settings.ts';
import { type ManagementWorld, openManagementWorld } from '../../support/management-world.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { tester } from '../../support/token-world.ts';

const dayMs = 86_400_000;
const names = ['root', 'anna', 'bob', 'carol'] as const;
const lifeMsMax = 30 * dayMs;

interface Step {
  readonly by: number;
  readonly action: string;
  readonly user: number;
  readonly token: number;
  readonly confirmed: boolean;
  readonly flag: boolean;
  readonly days: number | null;
}

interface Moment {
  readonly world: ManagementWorld;
  readonly caller: Caller;
  readonly user: UserId;
  readonly token: TokenId;
  readonly settings: TokenSettings;
  readonly flag: boolean;
}

/** Each resolves to what the caller is told. */
const actions: Readonly<Record<string, (moment: Moment) => Promise<object>>> = {
  create: ({ world, caller, user, settings }) => world.tokenManagement.create(caller, user, settings),
  edit: ({ world, caller, token, settings }) => world.tokenManagement.edit(caller, token, settings),
  regenerate: ({ world, caller, token, settings }) =>
    world.tokenManagement.regenerate(caller, token, settings.expiresAt),
  copy: ({ world, caller, token }) => world.tokenManagement.copy(caller, token, {}),
  switch: ({ world, caller, token, flag }) => world.tokenManagement.setEnabled(caller, token, flag),
  revoke: ({ world, caller, token }) => world.tokenManagement.revoke(caller, token),
  disable: ({ world, caller, user, flag }) => world.people.change(caller, user, { disabled: flag }),
  role: ({ world, caller, user, flag }) =>
    world.people.change(caller, user, { role: flag ? 'admin' : 'user' }),
  allow: ({ world, caller, user, flag }) => world.people.change(caller, user, { mayHaveTokens: flag }),
  link: ({ world, caller, user }) => world.people.passwordLink(caller, user),
  endAll: ({ world, caller, user, flag }) => world.sessionManagement.endAll(caller, user, flag),
  language: ({ world, caller, flag }) => world.people.setOwnLanguage(caller, flag ? 'de' : 'en'),
};

const step: fc.Arbitrary<Step> = fc.record({
  by: fc.nat(names.length + 1),
  action: fc.constantFrom(...Object.keys(actions), 'disable', 'disable', 'role', 'role'),
  user: fc.nat(names.length - 1),
  token: fc.nat(20),
  confirmed: fc.nat(9).map((one) => one > 0),
  flag: fc.boolean(),
  days: fc.option(fc.integer({ min: 1, max: 60 })),
});

describe('whatever people and keys try', () => {
  let scratch: Scratch;
  let clock: SteppedClock;
  let world: ManagementWorld;
  let users: readonly UserRecord[];
  let keys: readonly Caller[];
  before(async () => {
    scratch = await makeScratch('random-callers');
    clock = steppedClock();
    world = await openManagementWorld({ path: scratch.file('latchkey.db'), clock });
    users = await Promise.all(names.map((name) => world.user(name, { role: 'admin' })));
    keys = [await world.key('users'), await world.key('tokens')];
    await world.setPolicy({ lifeMsMax, scopes: ['path:/home/{user}/:rw'] });
  });
  after(async () => {
    world.database.close();
    await scratch.remove();
  });

  const rows = (sql: string): readonly Readonly<Record<string, unknown>>[] =>
    world.database.prepare(sql).all();
  /** What is kept of each user, its tokens, sessions and links. */
  const kept = (): ReadonlyMap<string, string> =>
    new Map(
      rows('SELECT * FROM users').map((user) => {
        const of = (table: string) => rows(`SELECT * FROM ${table} WHERE user_id = '${String(user['id'])}'`);
        return [
          String(user['id']),
          JSON.stringify([user, of('tokens'), of('sessions'), of('one_time_links')]),
        ];
      }),
    );

  async function callerOf({ by, confirmed }: Step): Promise<Caller | null> {
    const key = keys[by - names.length];
    if (key !== undefined) return key;
    const user = await world.userStore.get(users[by]?.id ?? ('' as UserId));
    return user === null || user.disabled ? null : world.signIn(user, confirmed);
  }

  async function attempt(step: Step): Promise<string> {
    const caller = await callerOf(step);
    if (caller === null) return 'shut out';
    const tokens = rows('SELECT id FROM tokens ORDER BY id').map(({ id }) => String(id) as TokenId);
    const target = users[step.user];
    const action = actions[step.action];
    assert.ok(target !== undefined && action !== undefined);
    const settings = {
      name: 'phone',
      scopes: [`path:/home/${step.flag ? '{user}' : 'bob'}/:r`],
      expiresAt: step.days === null ? null : clock.now() + step.days * dayMs,
    };
    const token = tokens[step.token] ?? ('none' as TokenId);
    const before = kept();
    const answer = await action({ world, caller, user: target.id, token, settings, flag: step.flag });
    const changed = [...kept()].filter(([id, state]) => before.get(id) !== state).map(([id]) => id as UserId);
    if (isRefused(answer)) assert.deepEqual(changed, [], 'a refusal changes nothing');
    const scope = ['disable', 'role', 'allow', 'link', 'endAll'].includes(step.action) ? 'users' : 'tokens';
    const reaches = (id: UserId): boolean => isSelf(caller, id) || manages(caller, scope);
    assert.ok(changed.every(reaches), 'nobody reaches beyond what is its own');
    if (caller.kind === 'person' && !caller.isConfirmed && !['endAll', 'language'].includes(step.action)) {
      assert.ok(isRefused(answer) && answer.code === 'confirmation_needed');
    }
    if (['create', 'copy', 'regenerate'].includes(step.action) && 'token' in answer) {
      const { expiresAt, scopes, ownerName } = answer.token as {
        readonly [field: string]: unknown;
        readonly scopes: readonly string[];
      };
      assert.ok(typeof expiresAt === 'number' && expiresAt - clock.now() <= lifeMsMax + 60_000);
      assert.ok(scopes.every((one) => one.startsWith(`path:/home/${String(ownerName)}/`)));
    }
    const left = await Promise.all(users.map(({ id }) => world.userStore.get(id)));
    assert.ok(
      left.some((user) => user !== null && canAdminister(user)),
      'somebody can manage',
    );
    return isRefused(answer) ? answer.code : 'granted';
  }

  test('nobody reaches beyond what is its own, keeps to the policy, and somebody can always manage', async (t) => {
    const outcomes = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        for (const [at, { id }] of users.entries()) {
          const role = at < 2 ? 'admin' : 'user';
          await world.users.change(tester, id, { disabled: false, role, mayHaveTokens: null });
        }
        for (const one of steps) {
          const outcome = await attempt(one);
          outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
          clock.advance(1_000);
        }
      }),
      { numRuns: 60, endOnFailure: true },
    );
    t.diagnostic(JSON.stringify(Object.fromEntries(outcomes)));
    for (const outcome of ['granted', 'not_found', 'not_allowed', 'confirmation_needed']) {
      assert.ok((outcomes.get(outcome) ?? 0) > 0, `${outcome} was among them`);
    }
  });
});
