import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Backend, type BackendGroup, createBackendGroup } from '../../../src/gateway/backends.ts';
import { type SteppedClock, steppedClock } from '../../support/stepped-clock.ts';
import { backendLimits } from './route-fixture.ts';

const noTls = { backendCa: null, backendTls: null };
const none: ReadonlySet<Backend> = new Set();

function start(count: number): { group: BackendGroup; clock: SteppedClock } {
  const clock = steppedClock();
  const origins = Array.from({ length: count }, (_, at) => `http://b${at}:8008`);
  return { group: createBackendGroup(origins, backendLimits, noTls, clock, () => undefined), clock };
}

function pick(group: BackendGroup, tried: ReadonlySet<Backend> = none): Backend {
  const backend = group.pick(tried);
  assert.ok(backend !== null);
  return backend;
}

const names = (group: BackendGroup, count: number): string[] =>
  Array.from({ length: count }, () => pick(group).authority);

describe('the backends of a route', () => {
  test('take turns', () => {
    assert.deepEqual(names(start(3).group, 4), ['b0:8008', 'b1:8008', 'b2:8008', 'b0:8008']);
  });

  test('are each tried once for a request', () => {
    const { group } = start(2);
    const first = pick(group);
    const second = pick(group, new Set([first]));
    assert.notEqual(first, second);
    assert.equal(group.pick(new Set([first, second])), null);
  });

  test('that are alone are asked although they failed, but once for a request', () => {
    const { group } = start(1);
    const only = pick(group);
    group.failed(only);
    assert.equal(pick(group), only);
    assert.equal(group.pick(new Set([only])), null);
  });

  test('rest for a second after a failure, and are asked again then', () => {
    const { group, clock } = start(2);
    const first = pick(group);
    group.failed(first);
    assert.deepEqual(new Set(names(group, 4)), new Set(['b1:8008']));
    clock.advance(1_000);
    assert.deepEqual(new Set(names(group, 4)), new Set(['b0:8008', 'b1:8008']));
  });

  test('rest twice as long after each failed try, a minute at most', () => {
    const { group, clock } = start(2);
    const first = pick(group);
    for (const restMs of [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]) {
      group.failed(first);
      clock.advance(restMs - 1);
      assert.ok(!names(group, 2).includes(first.authority), `rests ${restMs} ms`);
      clock.advance(1);
      assert.ok(names(group, 2).includes(first.authority), `is back after ${restMs} ms`);
    }
  });

  test('rest no longer where many requests fail together: that is one failure', () => {
    const { group, clock } = start(2);
    const first = pick(group);
    for (let at = 0; at < 50; at++) group.failed(first);
    clock.advance(1_000);
    assert.ok(names(group, 2).includes(first.authority));
  });

  test('that answer have their failures forgotten', () => {
    const { group, clock } = start(2);
    const first = pick(group);
    group.failed(first);
    clock.advance(1_000);
    group.failed(first);
    group.answered(first);
    assert.ok(names(group, 2).includes(first.authority));
    group.failed(first);
    clock.advance(1_000);
    assert.ok(names(group, 2).includes(first.authority));
  });

  test('are asked all the same where every one rests', () => {
    const { group } = start(2);
    const first = pick(group);
    const second = pick(group);
    group.failed(first);
    group.failed(second);
    const tried = pick(group);
    assert.notEqual(pick(group, new Set([tried])), tried);
  });
});
