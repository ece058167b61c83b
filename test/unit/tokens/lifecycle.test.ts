import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TokenId } from '../../../src/core/ids.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import type { TokenRefusal, TokenSettings } from '../../../src/tokens/token-settings.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { openTokenWorld, tester, type TokenWorld } from '../../support/token-world.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

let scratch: Scratch;
let clock: SteppedClock;
let world: TokenWorld;
let alice: UserRecord;

before(async () => {
  scratch = await makeScratch('lifecycle');
  clock = steppedClock();
  world = await openTokenWorld({ path: scratch.file('latchkey.db'), clock });
  alice = await world.addUser('Alice');
});
after(async () => {
  world.database.close();
  await scratch.remove();
});

function refused(outcome: { readonly kind: string }, code: TokenRefusal['code']): void {
  assert.equal(outcome.kind, 'refused', JSON.stringify(outcome));
  assert.equal((outcome as TokenRefusal).code, code);
  assert.match((outcome as TokenRefusal).detail, /^[A-Z].*\.$/s, 'a sentence');
}

const unknownId = '00000000-0000-7000-8000-000000000000' as TokenId;

describe('creating a token', () => {
  const create = (settings: TokenSettings) =>
    world.lifecycle.create(tester, alice, { name: 'phone', scopes: ['*'], ...settings });

  test('keeps what was asked for, and of the value only its beginning', async () => {
    const until = clock.now() + 30 * dayMs;
    const minted = await create({
      name: 'Telefon 📱',
      scopes: ['path:/dav/{user}/a b/:rw', 'route:cal:r', 'route:cal:r'],
      slidingMs: dayMs,
      until,
      notBefore: clock.now() + hourMs,
      networks: ['192.0.2.1', '2001:DB8::/32'],
      deleteUnusedMs: 90 * dayMs,
    });
    assert.ok(minted.kind === 'minted');
    const { token, value } = minted;
    assert.equal(token.prefix, value.slice(0, 7));
    assert.ok(!JSON.stringify(token).includes(value.slice(7)));
    assert.deepEqual(token.scopes, ['path:/dav/Alice/a%20b/:rw', 'route:cal:r']);
    assert.deepEqual(token.networks, ['192.0.2.1/32', '2001:db8::/32']);
    assert.equal(token.expiresAt, clock.now() + dayMs);
    assert.equal(token.until, until);
    assert.equal(token.version, 1);
    assert.deepEqual((await world.tokens.get(token.id))?.token, token);
  });

  test('is written to the audit trail, without a digest', async () => {
    const minted = await create({});
    assert.ok(minted.kind === 'minted');
    const [event] = await world.tokens.audit({ tokenId: minted.token.id, limit: 1 });
    assert.equal(event?.action, 'token.create');
    assert.equal(event?.actor, 'test');
    assert.ok(!JSON.stringify(event).includes(minted.token.digest));
  });

  const wrong: readonly (readonly [string, TokenSettings, TokenRefusal['code']])[] = [
    ['an empty name', { name: '' }, 'bad_name'],
    ['a blank name', { name: '  ' }, 'bad_name'],
    ['a name of 121 characters', { name: 'x'.repeat(121) }, 'bad_name'],
    ['a name with a control character', { name: 'a\nb' }, 'bad_name'],
    ['a name that turns text around', { name: 'a\u202eb' }, 'bad_name'],
    ['no scope', { scopes: [] }, 'bad_scope'],
    ['an unknown scope', { scopes: ['everything'] }, 'bad_scope'],
    ['65 scopes', { scopes: Array.from({ length: 65 }, (_, at) => `path:/${at}/:r`) }, 'bad_scope'],
    ['a path scope with dots', { scopes: ['path:/a/../b/:r'] }, 'bad_scope'],
    ['an expiry that is now', { expiresAt: Date.UTC(2026, 0, 1) }, 'bad_expiry'],
    ['an expiry in two centuries', { expiresAt: Date.UTC(2226, 0, 1) }, 'bad_expiry'],
    ['an expiry that is no number', { expiresAt: Number.NaN }, 'bad_expiry'],
    ['a window below five minutes', { slidingMs: 5 * minuteMs - 1 }, 'bad_expiry'],
    ['a window and a fixed expiry', { slidingMs: hourMs, expiresAt: Date.UTC(2027, 0, 1) }, 'bad_expiry'],
    ['an absolute end without a window', { until: Date.UTC(2027, 0, 1) }, 'bad_expiry'],
    ['an absolute end in the past', { slidingMs: hourMs, until: 1 }, 'bad_expiry'],
    [
      'a start after the end',
      { notBefore: Date.UTC(2026, 5, 2), expiresAt: Date.UTC(2026, 5, 1) },
      'bad_not_before',
    ],
    ['a network that is none', { networks: ['10.0.0.0/33'] }, 'bad_network'],
    ['a network by name', { networks: ['localhost'] }, 'bad_network'],
    ['65 networks', { networks: Array.from({ length: 65 }, (_, at) => `10.0.0.${at}`) }, 'bad_network'],
    ['deleting after less than an hour', { deleteUnusedMs: hourMs - 1 }, 'bad_delete_unused'],
  ];
  for (const [what, settings, code] of wrong) {
    test(`is refused with ${what}`, async () => refused(await create(settings), code));
  }

  test('is refused with a token in its name, which nothing repeats', async () => {
    const minted = await create({});
    assert.ok(minted.kind === 'minted');
    for (const name of [minted.value, `lk_ ${minted.value} of alice`]) {
      const outcome = await create({ name });
      refused(outcome, 'bad_name');
      assert.ok(!JSON.stringify(outcome).includes(minted.value));
      refused(await world.lifecycle.edit(tester, minted.token.id, { name }), 'bad_name');
    }
    assert.equal((await create({ name: `${minted.value.slice(0, -1)} begins like a token` })).kind, 'minted');
  });

  test('is refused for a user who is disabled', async () => {
    const settings = { name: 'phone', scopes: ['*'] };
    refused(await world.lifecycle.create(tester, { ...alice, disabled: true }, settings), 'owner_gone');
  });
});

describe('editing a token', () => {
  test('changes what is given and nothing else, with a new version', async () => {
    const { token } = await world.mint(alice, { networks: ['192.0.2.0/24'] });
    const edited = await world.lifecycle.edit(tester, token.id, { name: 'tablet', networks: [] });
    assert.ok(edited.kind === 'changed');
    assert.deepEqual(edited.token, { ...token, name: 'tablet', networks: [], version: 2 });
  });

  test('to what it already is changes nothing', async () => {
    const { token } = await world.mint(alice);
    const edited = await world.lifecycle.edit(tester, token.id, { name: token.name, scopes: ['*'] });
    assert.deepEqual(edited, { kind: 'changed', token, changed: false });
  });

  test('can give an expired token a new end, and rename it without', async () => {
    const { token, value } = await world.mint(alice, { expiresAt: clock.now() + minuteMs });
    clock.advance(minuteMs);
    world.journal.heard();
    const renamed = await world.lifecycle.edit(tester, token.id, { name: 'old' });
    assert.equal(renamed.kind, 'changed');
    assert.equal((await world.bearer(value)).kind, 'refused');
    await world.lifecycle.edit(tester, token.id, { expiresAt: clock.now() + minuteMs });
    assert.equal((await world.bearer(value)).kind, 'verified');
  });

  test('turns sliding on, bounds it, and off again', async () => {
    const { token } = await world.mint(alice);
    const edit = async (settings: TokenSettings) => {
      const edited = await world.lifecycle.edit(tester, token.id, settings);
      assert.ok(edited.kind === 'changed', JSON.stringify(edited));
      const { expiresAt, slidingMs, until } = edited.token;
      return { expiresAt, slidingMs, until };
    };
    const now = clock.now();
    assert.deepEqual(await edit({ slidingMs: hourMs }), {
      expiresAt: now + hourMs,
      slidingMs: hourMs,
      until: null,
    });
    assert.deepEqual(await edit({ until: now + minuteMs }), {
      expiresAt: now + minuteMs,
      slidingMs: hourMs,
      until: now + minuteMs,
    });
    refused(await world.lifecycle.edit(tester, token.id, { expiresAt: now + dayMs }), 'bad_expiry');
    assert.deepEqual(await edit({ slidingMs: null, expiresAt: now + dayMs }), {
      expiresAt: now + dayMs,
      slidingMs: null,
      until: null,
    });
  });

  test('is refused for an unknown or revoked token', async () => {
    refused(await world.lifecycle.edit(tester, unknownId, { name: 'x' }), 'no_token');
    const { token } = await world.mint(alice);
    await world.lifecycle.revoke(tester, [token.id], 'lost');
    refused(await world.lifecycle.edit(tester, token.id, { name: 'x' }), 'revoked');
  });
});

describe('rotating a token', () => {
  test('keeps id and settings, and the fixed end', async () => {
    const { token } = await world.mint(alice, { expiresAt: clock.now() + dayMs, networks: ['192.0.2.0/24'] });
    clock.advance(minuteMs);
    const rotated = await world.lifecycle.rotate(tester, token.id);
    assert.ok(rotated.kind === 'minted');
    const { digest, prefix } = rotated.token;
    assert.notEqual(digest, token.digest);
    assert.deepEqual(rotated.token, { ...token, digest, prefix, version: 2 });
  });

  test('starts a sliding window anew, within the absolute end', async () => {
    const until = clock.now() + 90 * minuteMs;
    const { token } = await world.mint(alice, { slidingMs: hourMs, until });
    clock.advance(80 * minuteMs);
    const rotated = await world.lifecycle.rotate(tester, token.id);
    assert.ok(rotated.kind === 'minted');
    assert.equal(rotated.token.expiresAt, until);
    clock.advance(10 * minuteMs);
    refused(await world.lifecycle.rotate(tester, token.id), 'expired');
  });

  test('works after the fixed end only with a new one', async () => {
    const { token } = await world.mint(alice, { expiresAt: clock.now() + minuteMs });
    clock.advance(minuteMs);
    refused(await world.lifecycle.rotate(tester, token.id), 'expired');
    const rotated = await world.lifecycle.rotate(tester, token.id, clock.now() + dayMs);
    assert.ok(rotated.kind === 'minted');
    assert.equal(rotated.token.expiresAt, clock.now() + dayMs);
  });

  test('is refused for what has ended for want of use, is revoked or unknown', async () => {
    const { token } = await world.mint(alice, { deleteUnusedMs: hourMs });
    clock.advance(hourMs);
    refused(await world.lifecycle.rotate(tester, token.id), 'expired');
    await world.lifecycle.revoke(tester, [token.id], 'lost');
    refused(await world.lifecycle.rotate(tester, token.id), 'revoked');
    refused(await world.lifecycle.rotate(tester, unknownId), 'no_token');
  });
});

describe('copying the settings of a token', () => {
  test('makes another with its own id and value', async () => {
    const settings = { scopes: ['path:/a/:r'], networks: ['192.0.2.0/24'], slidingMs: hourMs };
    const { token } = await world.mint(alice, settings);
    await world.lifecycle.revoke(tester, [token.id], 'lost');
    const copy = await world.lifecycle.copySettings(tester, token.id, { name: 'new phone' });
    assert.ok(copy.kind === 'minted');
    assert.notEqual(copy.token.id, token.id);
    assert.equal(copy.token.name, 'new phone');
    assert.deepEqual(copy.token.scopes, token.scopes);
    assert.deepEqual(copy.token.networks, ['192.0.2.0/24']);
    assert.equal(copy.token.expiresAt, clock.now() + hourMs);
    assert.equal(copy.token.revokedAt, null);
  });

  test('never makes a token that lives longer than meant because the original has expired', async () => {
    const { token } = await world.mint(alice, { expiresAt: clock.now() + minuteMs });
    clock.advance(minuteMs);
    refused(await world.lifecycle.copySettings(tester, token.id, {}), 'expired');
    const copy = await world.lifecycle.copySettings(tester, token.id, { expiresAt: clock.now() + dayMs });
    assert.equal(copy.kind, 'minted');
  });
});

describe('revoking', () => {
  test('revokes what exists and is not revoked, and says which', async () => {
    const [first, second] = [await world.mint(alice), await world.mint(alice)];
    const ids = [first.token.id, unknownId, second.token.id];
    const revoked = await world.lifecycle.revoke(tester, ids, 'lost');
    assert.deepEqual(
      revoked.map(({ id }) => id),
      [first.token.id, second.token.id],
    );
    assert.equal(revoked[0]?.revokedBy, 'test');
    assert.equal(revoked[0]?.revokedWhy, 'lost');
    assert.deepEqual(await world.lifecycle.revoke(tester, ids, 'again'), []);
  });

  test('reaches all tokens of a user and of nobody else, however many', async () => {
    const [bob, carol] = [await world.addUser('bob'), await world.addUser('carol')];
    const kept = await world.mint(carol);
    for (let count = 0; count < 3; count++) await world.mint(bob);
    const revoked = await world.lifecycle.revokeAll(tester, { userId: bob.id }, 'left');
    assert.equal(revoked.length, 3);
    assert.equal((await world.tokens.get(kept.token.id))?.token.revokedAt, null);
  });

  test('reaches what was unused since a moment', async () => {
    const dave = await world.addUser('dave');
    const idle = await world.mint(dave);
    const used = await world.mint(dave);
    clock.advance(dayMs);
    world.journal.heard();
    await world.bearer(used.value);
    await world.lastUse.drain();
    const filter = { userId: dave.id, unusedSince: clock.now() - hourMs };
    const revoked = await world.lifecycle.revokeAll(tester, filter, 'unused');
    assert.deepEqual(
      revoked.map(({ id }) => id),
      [idle.token.id],
    );
  });

  test('by the sweep spares a token used since it was listed as unused', async () => {
    const { token } = await world.mint(alice, { deleteUnusedMs: hourMs });
    clock.advance(hourMs - 1);
    const use = { tokenId: token.id, at: clock.now(), address: '192.0.2.1', client: null };
    await world.tokens.recordUses([use], clock.now());
    clock.advance(1);
    await world.lifecycle.sweepUnused();
    assert.equal((await world.tokens.get(token.id))?.token.revokedAt, null);
  });
});
