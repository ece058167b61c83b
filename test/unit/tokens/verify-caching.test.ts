import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { Fault } from '../../../src/core/errors.ts';
import { systemRandom } from '../../../src/core/random.ts';
import type { UserRecord } from '../../../src/identity/user-store.ts';
import { mintToken } from '../../../src/tokens/mint.ts';
import { tester, type TokenWorld } from '../../support/token-world.ts';
import { type WatchedStore, watchStore } from './watched-store.ts';

let watched: WatchedStore;
beforeEach(async () => {
  watched = await watchStore();
});
afterEach(() => watched.close());

describe('memory', () => {
  let world: TokenWorld;
  let alice: UserRecord;
  beforeEach(async () => {
    world = await watched.open();
    alice = await world.addUser('alice');
  });

  test('asks the store once a minute for a token in use', async () => {
    const { value } = await world.mint(alice);
    for (let second = 0; second < 60; second++) {
      await world.bearer(value);
      watched.clock.advance(1_000);
      world.journal.heard();
    }
    assert.equal(watched.lookUps(), 1);
    assert.equal((await world.bearer(value)).tier, 'store');
    assert.equal(watched.lookUps(), 2);
  });

  test('asks the store once for many requests that come at the same time', async () => {
    const { value } = await world.mint(alice);
    const answers = await Promise.all(Array.from({ length: 100 }, () => world.bearer(value)));
    assert.ok(answers.every(({ kind }) => kind === 'verified'));
    assert.equal(watched.lookUps(), 1);
  });

  test('gives concurrent requests of different clients their own verdicts from one look-up', async () => {
    const { value } = await world.mint(alice, { networks: ['192.0.2.0/24'] });
    const [inside, outside, stranger] = await Promise.all([
      world.bearer(value),
      world.bearer(value, { clientAddress: '203.0.113.1' }),
      world.basic('mallory', value),
    ]);
    assert.equal(inside.kind, 'verified');
    assert.equal(outside.kind === 'refused' && outside.reason, 'network');
    assert.equal(stranger.kind === 'refused' && stranger.reason, 'wrong_user');
    assert.equal(watched.lookUps(), 1);
  });

  test('remembers for five seconds that nobody has a token', async () => {
    const stranger = mintToken(systemRandom);
    for (let tries = 0; tries < 3; tries++) assert.equal((await world.bearer(stranger)).kind, 'refused');
    assert.equal(watched.lookUps(), 1);
    watched.clock.advance(5_000);
    world.journal.heard();
    await world.bearer(stranger);
    assert.equal(watched.lookUps(), 2);
  });

  test('never asks the store about a malformed token', async () => {
    for (const secret of ['', 'lk_', `lk_${'a'.repeat(42)}`, 'x'.repeat(10_000)]) await world.bearer(secret);
    assert.equal(watched.lookUps(), 0);
  });

  test('does not answer after four seconds of silence, and asks the store for every request', async () => {
    const { value } = await world.mint(alice);
    await world.bearer(value);
    watched.clock.advance(4_001);
    for (let requests = 0; requests < 3; requests++) {
      assert.equal((await world.bearer(value)).tier, 'store');
    }
    assert.equal(watched.lookUps(), 4);
    world.journal.heard();
    assert.equal((await world.bearer(value)).tier, 'l1');
  });

  test('does not answer where only the wall clock shows the silence, as after a suspend', async () => {
    const { value } = await world.mint(alice);
    await world.bearer(value);
    watched.clock.stepWall(4_001);
    assert.equal((await world.bearer(value)).tier, 'store');
  });

  test('in silence, a revocation by another process is honoured by the next request', async () => {
    const { value, token } = await world.mint(alice);
    const other = await watched.open();
    await world.bearer(value);
    watched.clock.advance(4_001);
    await other.lifecycle.revoke(tester, [token.id], 'lost');
    const verification = await world.bearer(value);
    assert.equal(verification.kind === 'refused' && verification.reason, 'revoked');
  });

  test('in silence and with the store away, the answer is a fault, not a verdict', async () => {
    const { value } = await world.mint(alice);
    await world.bearer(value);
    watched.clock.advance(4_001);
    watched.failWith(new Fault('store_unavailable', 'The store is away.'));
    await assert.rejects(world.bearer(value), { code: 'store_unavailable' });
  });

  test('with the store away, what is remembered goes on while a channel is heard', async () => {
    const { value } = await world.mint(alice);
    await world.bearer(value);
    watched.failWith(new Fault('store_unavailable', 'The store is away.'));
    assert.equal((await world.bearer(value)).kind, 'verified');
    await assert.rejects(world.bearer(mintToken(systemRandom)), { code: 'store_unavailable' });
  });

  test('a failed look-up is not remembered', async () => {
    const { value } = await world.mint(alice);
    watched.failWith(new Fault('store_unavailable', 'The store is away.'));
    await assert.rejects(world.bearer(value), Fault);
    watched.failWith(null);
    assert.equal((await world.bearer(value)).kind, 'verified');
  });

  test('a gap drops everything', async () => {
    const { value } = await world.mint(alice);
    await world.bearer(value);
    world.journal.gap();
    world.journal.heard();
    assert.equal((await world.bearer(value)).tier, 'store');
  });
});

describe('a look-up in flight', () => {
  let world: TokenWorld;
  let alice: UserRecord;
  beforeEach(async () => {
    world = await watched.open();
    alice = await world.addUser('alice');
  });

  test('that read the token before its revocation refuses it after', async () => {
    const { value, token } = await world.mint(alice);
    const { letGo, untilHeld } = watched.holdAnswers();
    const verification = world.bearer(value);
    await untilHeld(1);
    await world.lifecycle.revoke(tester, [token.id], 'lost');
    letGo();
    const verdict = await verification;
    assert.equal(verdict.kind === 'refused' && verdict.reason, 'revoked');
    const next = await world.bearer(value);
    assert.equal(next.kind === 'refused' && next.reason, 'revoked');
  });

  test('that read the owner before it was disabled refuses it after', async () => {
    const { value } = await world.mint(alice);
    const { letGo, untilHeld } = watched.holdAnswers();
    const verification = world.bearer(value);
    await untilHeld(1);
    await world.users.change(tester, alice.id, { disabled: true });
    letGo();
    const verdict = await verification;
    assert.equal(verdict.kind === 'refused' && verdict.reason, 'user_disabled');
  });

  test('that spans a gap is repeated', async () => {
    const { value } = await world.mint(alice);
    const { letGo, untilHeld } = watched.holdAnswers();
    const verification = world.bearer(value);
    await untilHeld(1);
    world.journal.gap();
    letGo();
    assert.equal((await verification).kind, 'verified');
    assert.equal(watched.lookUps(), 2);
  });

  test('that began in silence is not kept', async () => {
    const { value } = await world.mint(alice);
    watched.clock.advance(4_001);
    const { letGo, untilHeld } = watched.holdAnswers();
    const verification = world.bearer(value);
    await untilHeld(1);
    world.journal.heard();
    letGo();
    assert.equal((await verification).kind, 'verified');
    assert.equal((await world.bearer(value)).tier, 'store');
  });

  test('that hangs does not hold those who come a second later', async () => {
    const { value } = await world.mint(alice);
    const { letGo, untilHeld, holdNoMore } = watched.holdAnswers();
    const hanging = world.bearer(value);
    await untilHeld(1);
    holdNoMore();
    watched.clock.advance(1_000);
    assert.equal((await world.bearer(value)).kind, 'verified');
    letGo();
    await hanging;
  });

  test('that keeps finding an older state than announced ends in a fault', async () => {
    const { value, token } = await world.mint(alice);
    world.freshness.apply([{ kind: 'token', tokenId: token.id, version: 9 }]);
    await assert.rejects(world.bearer(value), { code: 'store_unavailable' });
  });
});
