import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { check, type Verdict } from '../support/hosts/checker.ts';
import type {
  CallEvent,
  ChangeEvent,
  ChangeKind,
  HistoryEvent,
  SeenEvent,
  TokenState,
  UseEvent,
  UseOutcome,
} from '../support/hosts/history.ts';
import { everyFault, nameFault, type Parts, schedule } from '../support/hosts/schedule.ts';

const bounds = { promisedMs: 5_000, recoveryMs: 5_000 };
const fresh: TokenState = { generation: 0, enabled: true, writes: true, revoked: false, ownerEnabled: true };

function change(
  what: ChangeKind,
  to: Partial<TokenState>,
  startedAt: number,
  endedAt: number | null,
): ChangeEvent {
  return { kind: 'change', token: 't', what, to, startedAt, endedAt };
}

/** A use of 10 ms, a read with the first value unless said otherwise. */
function use(outcome: UseOutcome, startedAt: number, more: Partial<UseEvent> = {}): UseEvent {
  return {
    ...{ kind: 'use', token: 't', generation: 0, way: 'read', gateway: 'gw1' },
    ...{ startedAt, endedAt: startedAt + 10, outcome },
    ...more,
  };
}

function seen(state: SeenEvent['state'], startedAt: number, where = 'gw2'): SeenEvent {
  return { kind: 'seen', token: 't', where, startedAt, endedAt: startedAt + 10, state };
}

const minted = change('mint', fresh, 0, 10);
const judge = (...history: readonly HistoryEvent[]): Verdict => check([minted, ...history], bounds);
const rules = (...history: readonly HistoryEvent[]): readonly string[] =>
  judge(...history).violations.map(({ rule }) => rule);

/** Each change that denies something, and the use that it denies. */
const denials: readonly (readonly [ChangeKind, Partial<TokenState>, Partial<UseEvent>])[] = [
  ['revoke', { revoked: true }, {}],
  ['disable', { enabled: false }, {}],
  ['narrow', { writes: false }, { way: 'write' }],
  ['regenerate', { generation: 1 }, { generation: 0 }],
  ['shut owner out', { ownerEnabled: false }, {}],
];

describe('the checker of the promise', () => {
  for (const [what, to, denied] of denials) {
    const changed = change(what, to, 1_000, 1_100);

    test(`${what}: a use allowed within 5 s is no violation, and how late it was is told`, () => {
      const verdict = judge(changed, use('allowed', 6_090, denied));
      assert.deepEqual(verdict.violations, []);
      assert.equal(verdict.latest.calmMs, 4_990);
    });

    test(`${what}: a use allowed later is one`, () => {
      assert.deepEqual(rules(changed, use('allowed', 6_101, denied)), ['allowed too late']);
    });

    test(`${what}: a refusal is right from the moment the call began`, () => {
      assert.deepEqual(rules(changed, use('refused', 995, denied), use('refused', 60_000, denied)), []);
    });

    test(`${what}: a refusal before that is a violation`, () => {
      assert.deepEqual(rules(changed, use('refused', 500, denied)), ['refused a valid token']);
    });

    test(`${what}: where no call confirmed it, both answers are right, and that it was not is told`, () => {
      const open = change(what, to, 1_000, null);
      assert.deepEqual(rules(open, use('allowed', 90_000, denied), use('refused', 90_000, denied)), [
        'change never confirmed',
      ]);
    });
  }

  test('a narrowed token may read on', () => {
    const narrowed = change('narrow', { writes: false }, 1_000, 1_100);
    assert.deepEqual(rules(narrowed, use('allowed', 9_000), use('forbidden', 9_000, { way: 'write' })), []);
    assert.deepEqual(rules(narrowed, use('forbidden', 9_000)), ['refused a valid token']);
  });

  test('a token that was given back is to be taken after 5 s, and may be before', () => {
    const history = [
      change('disable', { enabled: false }, 1_000, 1_100),
      change('enable', { enabled: true }, 8_000, 8_100),
    ];
    assert.deepEqual(rules(...history, use('allowed', 8_050), use('refused', 13_000)), []);
    assert.deepEqual(rules(...history, use('refused', 13_200)), ['refused a valid token']);
  });

  test('a use that was allowed between two changes says nothing of the second', () => {
    const history = [
      change('disable', { enabled: false }, 1_000, 1_100),
      change('enable', { enabled: true }, 7_000, 7_100),
      change('revoke', { revoked: true }, 8_000, 8_100),
    ];
    assert.deepEqual(rules(...history, use('allowed', 13_000)), []);
    assert.deepEqual(rules(...history, use('allowed', 13_200)), ['allowed too late']);
  });

  test('the value before the last regeneration stays dead when a later one follows', () => {
    const history = [
      change('regenerate', { generation: 1 }, 1_000, 1_100),
      change('regenerate', { generation: 2 }, 9_000, 9_100),
    ];
    assert.deepEqual(rules(...history, use('allowed', 9_050)), ['allowed too late']);
    assert.deepEqual(rules(...history, use('allowed', 9_050, { generation: 1 })), []);
  });

  test('a valid token refused is a violation during a fault as well', () => {
    const fault = { kind: 'fault', what: 'kill', target: 'pg', startedAt: 0, endedAt: 90_000 } as const;
    assert.deepEqual(rules(fault, use('refused', 9_000)), ['refused a valid token']);
  });

  test('what a gateway or the store shows may be no older than the asking', () => {
    const revoked = change('revoke', { revoked: true }, 1_000, 1_100);
    assert.deepEqual(rules(revoked, seen({ revoked: false }, 1_050), seen({ revoked: true }, 1_050)), []);
    assert.deepEqual(rules(revoked, seen({ ...fresh, revoked: true }, 2_000)), []);
    assert.deepEqual(rules(revoked, seen({ revoked: false }, 1_101)), ['change lost']);
    assert.deepEqual(rules(revoked, seen({ revoked: true, enabled: false }, 2_000)), ['change lost']);
  });

  test('a token that is nowhere to be found is lost', () => {
    assert.deepEqual(rules(seen(null, 500, 'store')), ['change lost']);
  });

  test('5xx and silence are costs within a fault and its recovery, and told one by one outside', () => {
    const fault = {
      kind: 'fault',
      what: 'pause',
      target: 'gw1',
      startedAt: 10_000,
      endedAt: 20_000,
    } as const;
    const call: CallEvent = {
      ...{ kind: 'call', what: 'read', by: 'api', gateway: 'gw1', outcome: 'fault' },
      ...{ startedAt: 24_000, endedAt: 24_100 },
    };
    const outside = [use('fault', 9_000), use('silent', 25_100)];
    const verdict = judge(
      fault,
      ...outside,
      use('silent', 9_995),
      use('fault', 15_000),
      call,
      use('allowed', 90_000),
    );
    assert.deepEqual(verdict.uncaused, outside);
    assert.equal(verdict.caused, 3);
    assert.deepEqual(verdict.violations, []);
  });

  test('the order in which events were written down does not matter', () => {
    const revoked = change('revoke', { revoked: true }, 1_000, 1_100);
    const verdict = check([use('allowed', 7_000), revoked, minted], bounds);
    assert.deepEqual(
      verdict.violations.map(({ rule }) => rule),
      ['allowed too late'],
    );
  });
});

describe('the schedule of faults', () => {
  const parts: Parts = {
    gateways: ['gw1', 'gw2', 'gw3'],
    store: 'pg',
    redis: ['redis1', 'redis2', 'redis3'],
    sentinels: ['sentinel1', 'sentinel2', 'sentinel3'],
    clocks: ['gw1', 'pg'],
  };
  const first = (seed: number, count: number): readonly string[] => {
    const planned = schedule(seed, parts);
    return Array.from({ length: count }, () => JSON.stringify(planned.next().value));
  };

  test('is the same for the same seed, and another for another', () => {
    assert.deepEqual(first(7, 300), first(7, 300));
    assert.notDeepEqual(first(7, 20), first(8, 20));
  });

  test('comes to every fault before it repeats one', () => {
    const all = everyFault(parts);
    const planned = schedule(3, parts);
    const come = new Set(all.map(() => JSON.stringify(planned.next().value.fault)));
    assert.equal(come.size, all.length);
  });

  test('cuts every link, and kills, restarts and pauses every process', () => {
    const named = new Set(everyFault(parts).map((fault) => Object.values(nameFault(fault)).join(': ')));
    for (const gateway of parts.gateways)
      for (const server of ['pg', ...parts.redis])
        assert.ok(named.has(`cut a link (both): ${gateway} to ${server}`), `${gateway} to ${server}`);
    for (const process of [...parts.gateways, 'pg', ...parts.redis, 'master', ...parts.sentinels])
      for (const what of ['kill', 'restart', 'pause']) assert.ok(named.has(`${what}: ${process}`), process);
  });
});
