import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import type { Verification } from '../../../src/tokens/verification.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../support/stepped-clock.ts';
import { openTokenWorld, tester, type TokenWorld } from '../../support/token-world.ts';

const minuteMs = 60_000;
const dayMs = 86_400_000;

function outcome(verification: Verification): string {
  return verification.kind === 'verified' ? 'verified' : verification.reason;
}

describe('whether a token is accepted', () => {
  let scratch: Scratch;
  let clock: SteppedClock;
  let world: TokenWorld;
  let alice: UserRecord;
  before(async () => {
    scratch = await makeScratch('verify-state');
    clock = steppedClock();
    world = await openTokenWorld({ path: scratch.file('latchkey.db'), clock });
    alice = await world.addUser('Alice');
  });
  after(async () => {
    world.database.close();
    await scratch.remove();
  });

  const bearer = async (secret: string, clientAddress = '192.0.2.1'): Promise<string> =>
    outcome(await world.bearer(secret, { clientAddress }));
  const pass = (ms: number): void => {
    clock.advance(ms);
    world.journal.heard();
  };

  test('it speaks for its owner, with its scopes', async () => {
    const { value, token } = await world.mint(alice, { scopes: ['path:/dav/{user}/:r'] });
    const verification = await world.bearer(value);
    assert.equal(verification.kind, 'verified');
    assert.deepEqual(verification.kind === 'verified' && verification.principal, {
      userId: alice.id,
      userName: 'Alice',
      tokenId: token.id,
      scopes: [{ kind: 'path', path: '/dav/Alice/', folder: true, access: { read: true, write: false } }],
    });
  });

  test('a second look is answered from memory, without a promise, and the same', async () => {
    const { value } = await world.mint(alice);
    const first = await world.bearer(value);
    const second = world.verifier.verify(
      { channel: 'bearer', secret: value },
      { clientAddress: '192.0.2.1', client: null, mainPassword: false },
    );
    assert.ok(!(second instanceof Promise));
    assert.deepEqual(second, { ...first, tier: 'l1' });
    assert.equal(first.tier, 'store');
  });

  test('unknown, malformed and otherwise shaped secrets are refused', async () => {
    const other = await openTokenWorld({ path: scratch.file('other.db'), clock });
    const { value } = await other.mint(await other.addUser('bob'));
    other.database.close();
    assert.equal(await bearer(value), 'unknown');
    assert.equal(await bearer(`${value.slice(0, -1)}_`), 'malformed');
    assert.equal(await bearer('hunter2'), 'malformed');
    assert.equal(outcome(await world.basic('alice', 'hunter2')), 'password_refused');
  });

  test('with Basic the user name must be the owner in any spelling, or the owner id', async () => {
    const { value } = await world.mint(alice);
    for (const name of ['Alice', 'alice', 'ALICE', 'Ａｌｉｃｅ', alice.id, alice.id.toUpperCase()]) {
      assert.equal(outcome(await world.basic(name, value)), 'verified', name);
    }
    for (const name of ['', 'bob', 'alice ', 'alice:x']) {
      assert.equal(outcome(await world.basic(name, value)), 'wrong_user', name);
    }
  });

  test('it expires at its moment, from memory too, and never revives by use [S9, CVE-2025-64708]', async () => {
    const { value, token } = await world.mint(alice, { expiresAt: clock.now() + minuteMs });
    assert.equal(await bearer(value), 'verified');
    pass(minuteMs - 1);
    assert.equal(await bearer(value), 'verified');
    pass(1);
    assert.equal(await bearer(value), 'expired');
    await world.lastUse.drain();
    assert.equal(await bearer(value), 'expired');
    assert.equal((await world.tokens.get(token.id))?.token.expiresAt, clock.now());
  });

  test('a sliding token lives on while it is used', async () => {
    const { value } = await world.mint(alice, { slidingMs: 10 * minuteMs });
    for (let uses = 0; uses < 5; uses++) {
      assert.equal(await bearer(value), 'verified');
      await world.lastUse.drain();
      pass(9 * minuteMs);
    }
    pass(minuteMs);
    assert.equal(await bearer(value), 'expired');
  });

  test('an expired sliding token never revives, however often it is tried', async () => {
    const { value, token } = await world.mint(alice, { slidingMs: 10 * minuteMs });
    const end = clock.now() + 10 * minuteMs;
    pass(10 * minuteMs);
    for (let tries = 0; tries < 3; tries++) {
      assert.equal(await bearer(value), 'expired');
      await world.lastUse.drain();
      pass(minuteMs);
    }
    assert.equal((await world.tokens.get(token.id))?.token.expiresAt, end);
  });

  test('a sliding token extended by another process is not refused from memory', async () => {
    const { value, token } = await world.mint(alice, { slidingMs: 5 * minuteMs });
    pass(4 * minuteMs + 30_000);
    assert.equal(await bearer(value), 'verified');
    // Another process writes a use; the journal says nothing of it.
    const use = { tokenId: token.id, at: clock.now(), address: '192.0.2.9', client: null };
    await world.tokens.recordUses([use], clock.now());
    pass(30_000);
    const verification = await world.bearer(value);
    assert.equal(outcome(verification), 'verified');
    assert.equal(verification.tier, 'store');
  });

  test('a sliding token ends at its absolute end, in constant use', async () => {
    const until = clock.now() + 12 * minuteMs;
    const { value } = await world.mint(alice, { slidingMs: 10 * minuteMs, until });
    pass(9 * minuteMs);
    assert.equal(await bearer(value), 'verified');
    await world.lastUse.drain();
    pass(3 * minuteMs - 1);
    assert.equal(await bearer(value), 'verified');
    await world.lastUse.drain();
    pass(1);
    assert.equal(await bearer(value), 'expired');
  });

  test('it is not valid before its time', async () => {
    const { value } = await world.mint(alice, { notBefore: clock.now() + minuteMs });
    assert.equal(await bearer(value), 'not_yet_valid');
    pass(minuteMs);
    assert.equal(await bearer(value), 'verified');
  });

  test('it is accepted only from its networks, IPv4 and IPv6', async () => {
    const { value } = await world.mint(alice, {
      networks: ['198.51.100.0/24', '2001:db8::/32', '203.0.113.7'],
    });
    for (const address of ['198.51.100.200', '2001:db8:1::1', '203.0.113.7']) {
      assert.equal(await bearer(value, address), 'verified', address);
    }
    for (const address of ['198.51.101.1', '2001:db9::1', '203.0.113.8', '', 'unix']) {
      assert.equal(await bearer(value, address), 'network', address);
    }
  });

  test('unused for too long, it ends, though another process may have kept it alive', async () => {
    const { value, token } = await world.mint(alice, { deleteUnusedMs: dayMs });
    pass(dayMs - 1);
    assert.equal(await bearer(value), 'verified');
    await world.lastUse.drain();
    pass(dayMs - 1);
    assert.equal(await bearer(value), 'verified');
    await world.lastUse.drain();
    pass(dayMs);
    assert.equal(await bearer(value), 'expired');
    assert.equal(await world.lifecycle.sweepUnused(), 1);
    assert.equal((await world.tokens.get(token.id))?.token.revokedWhy, 'unused');
  });

  test('a disabled token is refused until it is enabled again', async () => {
    const { value, token } = await world.mint(alice);
    assert.equal(await bearer(value), 'verified');
    await world.lifecycle.setEnabled(tester, token.id, false);
    assert.equal(await bearer(value), 'disabled');
    await world.lifecycle.setEnabled(tester, token.id, true);
    assert.equal(await bearer(value), 'verified');
  });

  test('a revoked token is refused at once and for good', async () => {
    const { value, token } = await world.mint(alice);
    assert.equal(await bearer(value), 'verified');
    await world.lifecycle.revoke(tester, [token.id], 'lost');
    assert.equal(await bearer(value), 'revoked');
    const enabled = await world.lifecycle.setEnabled(tester, token.id, true);
    assert.equal(enabled.kind === 'refused' && enabled.code, 'revoked');
  });

  test('a rotated token has a new value; the old one is unknown at once', async () => {
    const { value, token } = await world.mint(alice);
    assert.equal(await bearer(value), 'verified');
    const rotated = await world.lifecycle.rotate(tester, token.id);
    assert.ok(rotated.kind === 'minted');
    assert.equal(rotated.token.id, token.id);
    assert.equal(await bearer(value), 'unknown');
    assert.equal(await bearer(rotated.value), 'verified');
  });

  test('an edit counts at once', async () => {
    const { value, token } = await world.mint(alice);
    assert.equal(await bearer(value), 'verified');
    await world.lifecycle.edit(tester, token.id, { networks: ['203.0.113.0/24'] });
    assert.equal(await bearer(value), 'network');
  });

  test('tokens of a disabled user are refused until it is enabled, those of a removed one for good', async () => {
    const bob = await world.addUser('bob');
    const { value } = await world.mint(bob);
    assert.equal(await bearer(value), 'verified');
    await world.users.change(tester, bob.id, { disabled: true });
    assert.equal(await bearer(value), 'user_disabled');
    await world.users.change(tester, bob.id, { disabled: false });
    assert.equal(await bearer(value), 'verified');
    await world.users.remove(tester, bob.id);
    assert.equal(await bearer(value), 'revoked');
  });
});
