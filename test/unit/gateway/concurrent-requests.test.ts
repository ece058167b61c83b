import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TokenId, UserId } from '../../../src/core/ids.ts';
import { createConcurrentRequests } from '../../../src/gateway/concurrent-requests.ts';
import { principal } from './route-fixture.ts';

const alice = principal();

test('a token has as many requests under way as it may, and one more when one has ended', () => {
  const requests = createConcurrentRequests(() => 2);
  assert.deepEqual(
    [requests.enter(alice), requests.enter(alice), requests.enter(alice)],
    [true, true, false],
  );
  requests.leave(alice);
  assert.deepEqual([requests.enter(alice), requests.enter(alice)], [true, false]);
});

test('tokens of one user are counted apart', () => {
  const requests = createConcurrentRequests(() => 1);
  const other = principal({ tokenId: '0198c5d0-0000-7000-8000-00000000000f' as TokenId });
  assert.deepEqual([requests.enter(alice), requests.enter(other)], [true, true]);
});

test('a main password counts as one token of its user', () => {
  const requests = createConcurrentRequests(() => 1);
  const password = principal({ tokenId: null });
  const other = principal({ tokenId: null, userId: '0198c5d0-0000-7000-8000-00000000000e' as UserId });
  assert.deepEqual(
    [requests.enter(password), requests.enter(alice), requests.enter(principal({ tokenId: null }))],
    [true, true, false],
  );
  assert.equal(requests.enter(other), true);
});

test('a new limit applies to the next request, and ends none', () => {
  let max = 2;
  const requests = createConcurrentRequests(() => max);
  requests.enter(alice);
  requests.enter(alice);
  max = 1;
  requests.leave(alice);
  assert.equal(requests.enter(alice), false);
  max = 3;
  assert.equal(requests.enter(alice), true);
});
