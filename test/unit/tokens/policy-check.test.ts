import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { parseScope, type Scope } from '../../../src/core/scope.ts';
import { isScopeWithin } from '../../../src/core/scope-within.ts';
import { openPolicy, type OwnerPolicy, type TokenPolicy } from '../../../src/tokens/policy.ts';
import {
  birthRefusal,
  checkPolicy,
  editRefusal,
  policyRefusal,
  rotationRefusal,
} from '../../../src/tokens/policy-check.ts';
import { type SettledFields, unsettled } from '../../../src/tokens/token-settings.ts';

const [hourMs, dayMs] = [3_600_000, 86_400_000];
const now = Date.UTC(2026, 0, 1);

const fields = (change: Partial<SettledFields>): SettledFields => ({
  ...unsettled,
  name: 'phone',
  scopes: ['*'],
  ...change,
});
const policy = (change: Partial<TokenPolicy>): TokenPolicy => ({ ...openPolicy, ...change });
const owner = (change: Partial<OwnerPolicy>): OwnerPolicy => ({
  ...openPolicy,
  mayHaveTokens: true,
  ...change,
});
const born = (rules: Partial<TokenPolicy>, change: Partial<SettledFields>): string | null =>
  birthRefusal(owner(rules), fields(change), 'alice', now)?.code ?? null;
const sliding = (slidingMs: number, until: number | null): Partial<SettledFields> => ({
  ...{ slidingMs, until, expiresAt: Math.min(now + slidingMs, until ?? Number.POSITIVE_INFINITY) },
});

describe('a new token', () => {
  const month = { lifeMsMax: 30 * dayMs };
  const table: readonly (readonly [string, Partial<TokenPolicy>, Partial<SettledFields>, 'policy' | null])[] =
    [
      ['anything, where there is no limit', {}, {}, null],
      ['within the longest life', month, { expiresAt: now + 30 * dayMs }, null],
      ['a minute over it, by another clock', month, { expiresAt: now + 30 * dayMs + 60_000 }, null],
      ['beyond it', month, { expiresAt: now + 30 * dayMs + 60_001 }, 'policy'],
      ['without an end, where there is a longest life', month, {}, 'policy'],
      ['sliding within an absolute end', month, sliding(dayMs, now + 30 * dayMs), null],
      ['sliding to a later absolute end', month, sliding(dayMs, now + 31 * dayMs), 'policy'],
      ['sliding without an absolute end', month, sliding(dayMs, null), 'policy'],
      ['without an end, where one is required', { expiryRequired: true }, {}, 'policy'],
      ['with a late end, where any is enough', { expiryRequired: true }, { expiresAt: now + 9e12 }, null],
      ['sliding, where any end is enough', { expiryRequired: true }, sliding(dayMs, null), null],
      ['a scope within one', { scopes: ['path:/dav/:r'] }, { scopes: ['path:/dav/a/:r'] }, null],
      ['everything, where scopes are chosen', { scopes: ['path:/dav/:r'] }, {}, 'policy'],
      ['a scope beside them', { scopes: ['path:/dav/:r'] }, { scopes: ['path:/dav/:rw'] }, 'policy'],
      ['one of two beside', { scopes: ['route:a:r'] }, { scopes: ['route:a:r', 'route:b:r'] }, 'policy'],
      ['an own folder', { scopes: ['path:/d/{user}/:rw'] }, { scopes: ['path:/d/alice/x/:r'] }, null],
      [
        "somebody else's folder",
        { scopes: ['path:/d/{user}/:rw'] },
        { scopes: ['path:/d/bob/:r'] },
        'policy',
      ],
      [
        'what the placeholder itself names',
        { scopes: ['path:/d/{user}/:rw'] },
        { scopes: ['path:/d/{user}/:r'] },
        'policy',
      ],
    ];
  for (const [what, rules, change, expected] of table) {
    test(`${expected === null ? 'may be' : 'may not be'}: ${what}`, () =>
      assert.equal(born(rules, change), expected));
  }

  test('is refused to whom tokens are not allowed, whatever it is', () =>
    assert.equal(birthRefusal(owner({ mayHaveTokens: false }), fields({}), 'alice', now)?.code, 'policy'));

  test('is bound by nothing at the command line', () =>
    assert.equal(birthRefusal(undefined, fields({}), 'alice', now), null));

  test('says what is allowed, in a sentence', () => {
    const detail = birthRefusal(owner({ scopes: ['path:/d/{user}/:rw'] }), fields({}), 'alice', now)?.detail;
    assert.match(detail ?? '', /^The scope \* is not allowed here; choose within path:\/d\/alice\/:rw\.$/);
    const long = birthRefusal(owner({ lifeMsMax: 36 * hourMs }), fields({}), 'alice', now)?.detail;
    assert.match(long ?? '', /at most 36 hours here: give the token an expiry/);
  });
});

describe('a token that there is', () => {
  const strict = owner({ lifeMsMax: 30 * dayMs, scopes: ['path:/dav/:r'] });
  const old = { ...fields({ expiresAt: now + 300 * dayMs }), createdAt: now };
  const edit = (change: Partial<SettledFields>, rules = strict) =>
    editRefusal(rules, old, { ...old, ...change }, 'alice', now)?.code ?? null;

  test('is held only to what an edit changes', () => {
    assert.equal(edit({ name: 'tablet', networks: ['192.0.2.0/24'] }), null);
    assert.equal(edit({ expiresAt: now + 10 * dayMs }), null);
    assert.equal(edit({ expiresAt: now + 200 * dayMs }), 'policy');
    assert.equal(edit({ scopes: ['path:/dav/a/:r'] }), null);
    assert.equal(edit({ scopes: ['path:/dav/a/:rw'] }), 'policy');
  });

  test('gets a new value only with an end that is allowed: its life begins anew', () => {
    const rotated = (change: Partial<SettledFields>, rules: OwnerPolicy | undefined = strict) =>
      rotationRefusal(rules, { ...old, scopes: ['path:/dav/:r'], ...change }, 'alice', now)?.code ?? null;
    assert.equal(rotated({}), 'policy');
    assert.equal(rotated({ expiresAt: now + dayMs }), null);
    assert.equal(rotationRefusal(undefined, old, 'alice', now), null);
  });

  test('gets a new value only where it reaches what is allowed', () =>
    assert.equal(rotationRefusal(strict, { ...old, expiresAt: now + dayMs }, 'alice', now)?.code, 'policy'));

  test('is never edited past the longest life from its birth on, however small the steps', () => {
    const rules = owner({ lifeMsMax: 30 * dayMs });
    const young = { ...fields({ expiresAt: now + dayMs }), createdAt: now - 20 * dayMs };
    const judge = (change: Partial<SettledFields>) =>
      editRefusal(rules, young, { ...young, ...change }, 'alice', now)?.code ?? null;
    assert.equal(judge({ expiresAt: now + 10 * dayMs }), null);
    assert.equal(judge({ expiresAt: now + 11 * dayMs }), 'policy');
    assert.equal(judge(sliding(dayMs, now + 10 * dayMs)), null);
    assert.equal(judge(sliding(dayMs, now + 11 * dayMs)), 'policy');
    assert.equal(judge({ expiresAt: now + hourMs }), null);
  });

  test('lives longer by an edit only where it reaches what is allowed', () => {
    const rules = owner({ scopes: ['path:/dav/:r'] });
    const wide = { ...fields({ expiresAt: now + dayMs }), createdAt: now };
    const judge = (change: Partial<SettledFields>) =>
      editRefusal(rules, wide, { ...wide, ...change }, 'alice', now)?.code ?? null;
    assert.equal(judge({ expiresAt: now + 2 * dayMs }), 'policy');
    assert.equal(judge({ expiresAt: now + 2 * dayMs, scopes: ['path:/dav/:r'] }), null);
    assert.equal(judge({ expiresAt: now + hourMs }), null);
  });

  test('may be renamed and narrowed, never widened, where its owner may have none any more', () => {
    const none = owner({ mayHaveTokens: false });
    const held = {
      ...fields({
        ...{ scopes: ['path:/a/:rw', 'route:cal:r'], networks: ['192.0.2.0/24', '198.51.100.0/24'] },
        ...{ expiresAt: now + dayMs, notBefore: now + hourMs, deleteUnusedMs: dayMs },
      }),
      createdAt: now,
    };
    const judge = (change: Partial<SettledFields>) =>
      editRefusal(none, held, { ...held, ...change }, 'alice', now)?.code ?? null;
    const narrower: readonly Partial<SettledFields>[] = [
      ...[{ name: 'old phone' }, { scopes: ['path:/a/b/:r'] }, { networks: ['192.0.2.0/24'] }],
      ...[{ expiresAt: now + hourMs }, { notBefore: now + 2 * hourMs }, { deleteUnusedMs: hourMs }],
    ];
    for (const change of narrower) assert.equal(judge(change), null, JSON.stringify(change));
    const wider: readonly Partial<SettledFields>[] = [
      ...[{ scopes: ['*'] }, { scopes: ['path:/a/:rw', 'route:cal:rw'] }, { networks: [] }],
      ...[{ networks: ['203.0.113.0/24'] }, { expiresAt: null }, { expiresAt: now + 2 * dayMs }],
      ...[{ notBefore: null }, { deleteUnusedMs: null }, sliding(dayMs, null), sliding(dayMs, now + dayMs)],
    ];
    for (const change of wider) assert.equal(judge(change), 'policy', JSON.stringify(change));
  });
});

describe('a policy', () => {
  test('is kept with its scopes in one form, each once', () => {
    const kept = checkPolicy(policy({ scopes: ['path:/a b/:r', 'path:/a%20b/:r', '*'] }));
    assert.deepEqual(typeof kept === 'string' ? kept : kept.scopes, ['path:/a%20b/:r', '*']);
  });

  const wrong: readonly (readonly [string, Partial<TokenPolicy>, RegExp])[] = [
    ['a life of less than an hour', { lifeMsMax: hourMs - 1 }, /at least an hour/],
    ['a life of more than a century', { lifeMsMax: 101 * 365 * dayMs }, /at most a century/],
    ['a life that is no number', { lifeMsMax: Number.NaN }, /at least an hour/],
    ['no scope at all', { scopes: [] }, /Name at least one scope/],
    ['a scope that cannot be read', { scopes: ['fly'] }, /Scope "fly"/],
  ];
  for (const [what, change, pattern] of wrong) {
    test(`cannot have ${what}`, () => {
      const kept = checkPolicy(policy(change));
      assert.match(typeof kept === 'string' ? kept : 'accepted', pattern);
    });
  }
});

describe('whatever the policy and the token', () => {
  const path = fc.constantFrom('/', '/a/', '/a/b/', '/a/b', '/u/alice/', '/u/bob/', '/u/{user}/');
  const scope = fc.oneof(
    fc.constant('*'),
    fc.tuple(path, fc.constantFrom('r', 'w', 'rw')).map(([at, may]) => `path:${at}:${may}`),
    fc.constantFrom('route:cal:r', 'route:cal:rw', 'node:n1:r'),
  );
  const policies = fc.record({
    lifeMsMax: fc.option(fc.integer({ min: 1, max: 400 }).map((days) => days * dayMs)),
    expiryRequired: fc.boolean(),
    scopes: fc.option(fc.uniqueArray(scope, { minLength: 1, maxLength: 4 })),
    startsEnabled: fc.boolean(),
    everybodyMayHaveTokens: fc.boolean(),
  });
  const end = fc.option(fc.integer({ min: 1, max: 800 }).map((days) => now + days * dayMs));
  const tokens = fc
    .record({
      scopes: fc.uniqueArray(scope, { minLength: 1, maxLength: 3 }),
      life: fc.oneof(
        end.map((expiresAt) => ({ expiresAt, slidingMs: null, until: null })),
        fc.tuple(fc.integer({ min: 1, max: 90 }), end).map(([days, until]) => sliding(days * dayMs, until)),
      ),
    })
    .map(({ scopes, life }) => fields({ scopes, ...life }));
  const read = (text: string): Scope => parseScope(text) as Scope;

  test('what may be made ends in time, and lies within what is allowed', () => {
    let made = 0;
    fc.assert(
      fc.property(policies, tokens, (rules, token) => {
        if (policyRefusal(rules, null, token, 'alice', now) !== null) return;
        made++;
        const last = token.slidingMs === null ? token.expiresAt : token.until;
        if (rules.lifeMsMax !== null) assert.ok(last !== null && last - now <= rules.lifeMsMax + 60_000);
        if (rules.expiryRequired) assert.notEqual(token.expiresAt, null);
        const allowed = rules.scopes?.map((text) => read(text.replace('{user}', 'alice')));
        for (const text of token.scopes) {
          assert.ok(allowed?.some((one) => isScopeWithin(read(text), one)) ?? true, text);
        }
      }),
      { numRuns: 5_000 },
    );
    assert.ok(made > 300, `${made} made`);
  });

  test('an edit to what could be made is allowed, and one that changes nothing too', () => {
    fc.assert(
      fc.property(policies, tokens, tokens, (rules, before, after) => {
        assert.equal(policyRefusal(rules, before, before, 'alice', now), null);
        if (policyRefusal(rules, null, after, 'alice', now) !== null) return;
        assert.equal(policyRefusal(rules, before, after, 'alice', now), null);
      }),
      { numRuns: 2_000 },
    );
  });

  test('a stricter one allows no more', () => {
    fc.assert(
      fc.property(policies, tokens, fc.integer({ min: 1, max: 400 }), scope, (rules, token, days, one) => {
        const { lifeMsMax, scopes } = rules;
        const stricter: TokenPolicy = {
          ...rules,
          lifeMsMax: Math.min(lifeMsMax ?? Number.POSITIVE_INFINITY, days * dayMs),
          expiryRequired: true,
          scopes: scopes === null ? [one] : scopes.slice(0, 1),
        };
        if (policyRefusal(rules, null, token, 'alice', now) === null) return;
        assert.notEqual(policyRefusal(stricter, null, token, 'alice', now), null);
      }),
      { numRuns: 2_000 },
    );
  });
});
