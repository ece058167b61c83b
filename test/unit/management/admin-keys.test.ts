import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { AdminKeyId } from '../../../src/core/ids.ts';
import type { AdminKeyScope } from '../../../src/identity/admin-key-store.ts';
import type { AdminKeys, MadeAdminKey } from '../../../src/management/admin-keys.ts';
import { isRefused } from '../../../src/management/refused.ts';
import { type ManagementWorld, openManagementWorld } from '../../support/management-world.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';

const dayMs = 86_400_000;
let scratch: Scratch;
let clock: SteppedClock;
let world: ManagementWorld;
let keys: AdminKeys;

before(async () => {
  scratch = await makeScratch('admin-keys');
  clock = steppedClock();
  world = await openManagementWorld({ path: scratch.file('latchkey.db'), clock });
  keys = world.adminKeys;
});
after(async () => {
  world.database.close();
  await scratch.remove();
});

let count = 0;
async function make(
  expiresAt: number | null = null,
  scopes: readonly AdminKeyScope[] = ['users'],
): Promise<MadeAdminKey> {
  const made = await keys.create('cli:root', `key ${count++}`, scopes, expiresAt);
  assert.ok(!isRefused(made), JSON.stringify(made));
  return made;
}

describe('an admin key', () => {
  test('is recognised by its value, of which the store keeps a digest', async () => {
    const { key, value } = await make(null, ['users', 'tokens', 'users']);
    assert.match(value, /^lka_[\w-]{43}$/);
    assert.ok(value.startsWith(key.prefix) && key.prefix.length === 8);
    const known = await keys.recognise(value);
    assert.deepEqual([known?.id, known?.scopes], [key.id, ['users', 'tokens']]);
    const rows = JSON.stringify([
      world.database.prepare('SELECT * FROM admin_keys').all(),
      world.database.prepare('SELECT * FROM audit').all(),
    ]);
    assert.ok(!rows.includes(value.slice(8)));
    assert.ok(!JSON.stringify([key, await keys.list()]).includes('digest'));
  });

  test('is no other text, and no app token', async () => {
    const { value } = await make();
    const token = await world.mint(await world.user('tina', undefined, null));
    const others = [
      '',
      'lka_',
      value.slice(4),
      `${value}x`,
      `LKA_${value.slice(4)}`,
      ` ${value}`,
      token.value,
    ];
    for (const other of others) assert.equal(await keys.recognise(other), null, other);
  });

  test('ends at its expiry', async () => {
    const { value } = await make(clock.now() + dayMs);
    clock.advance(dayMs - 1);
    assert.notEqual(await keys.recognise(value), null);
    clock.advance(1);
    assert.equal(await keys.recognise(value), null);
  });

  test('is revoked at once and for good, twice without a complaint', async () => {
    const { key, value } = await make();
    const first = await keys.revoke('cli:root', key.id);
    assert.ok(!isRefused(first) && first.revokedAt === clock.now());
    assert.equal(await keys.recognise(value), null);
    clock.advance(1_000);
    assert.deepEqual(await keys.revoke('cli:root', key.id), first);
    const unknown = await keys.revoke('cli:root', '00000000-0000-7000-8000-000000000000' as AdminKeyId);
    assert.ok(isRefused(unknown) && unknown.code === 'not_found');
    const { items } = await world.tokens.searchAudit({ action: 'key.', limit: 1 });
    assert.deepEqual([items[0]?.action, items[0]?.actor], ['key.revoke', 'cli:root']);
  });

  test('notes its last use, at most once a minute', async () => {
    const { key, value } = await make();
    const lastUse = async (): Promise<number | null | undefined> =>
      (await keys.list()).find(({ id }) => id === key.id)?.lastUsedAt;
    assert.equal(await lastUse(), null);
    const first = clock.now();
    await keys.recognise(value);
    clock.advance(59_999);
    await keys.recognise(value);
    assert.equal(await lastUse(), first);
    clock.advance(1);
    await keys.recognise(value);
    assert.equal(await lastUse(), clock.now());
  });

  test('shares its name only with keys that are over', async () => {
    const create = (): ReturnType<AdminKeys['create']> =>
      keys.create('cli:root', 'ci', ['audit'], clock.now() + dayMs);
    assert.ok(!isRefused(await create()));
    const second = await create();
    assert.ok(isRefused(second) && second.code === 'conflict');
    clock.advance(dayMs);
    assert.ok(!isRefused(await create()));
  });

  test('cannot be made without a scope, with a passed end or with an unfit name', async () => {
    const { value } = await world.mint(await world.user('uwe', undefined, null));
    const wrong: readonly (readonly [string, readonly AdminKeyScope[], number | null])[] = [
      ['x', [], null],
      ['x', ['users'], clock.now()],
      ['x', ['users'], clock.now() + 101 * 365 * dayMs],
      ['x', ['users'], Number.NaN],
      ...['', ' x', 'a:b', 'a\nb', 'x'.repeat(65), value, 'lka_abc'].map(
        (name) => [name, ['users'], null] as const,
      ),
    ];
    const before = (await keys.list()).length;
    for (const [name, scopes, expiresAt] of wrong) {
      const made = await keys.create('cli:root', name, scopes, expiresAt);
      assert.ok(isRefused(made) && made.code === 'bad_request', name);
    }
    assert.equal((await keys.list()).length, before);
  });
});
