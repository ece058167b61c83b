import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPolicy, type TokenPolicy } from '../../../../src/tokens/policy.ts';
import type { Frame } from '../../../../src/web/portal/frame.ts';
import { createMoments } from '../../../../src/web/portal/moments.ts';
import { en } from '../../../../src/web/portal/texts/en.ts';
import { emptyDraft, type TokenDraft } from '../../../../src/web/portal/tokens/draft.ts';
import { settleDraft } from '../../../../src/web/portal/tokens/settle-draft.ts';

const dayMs = 86_400_000;
const now = new Date(2027, 4, 10, 12).getTime();
const frame = { now, texts: en, moments: createMoments('en') } as Frame;

function settled(draft: Partial<TokenDraft>, policy: Partial<TokenPolicy> = {}) {
  const whole = { ...openPolicy, ...policy };
  return settleDraft(frame, { ...emptyDraft(whole), name: 'phone', ...draft }, whole);
}

function wrongFields(draft: Partial<TokenDraft>, policy: Partial<TokenPolicy> = {}): readonly string[] {
  return settled(draft, policy).errors.map(({ field }) => field);
}

test('a new token ends after 90 days, or at the longest that the policy allows', () => {
  assert.equal(settled({}).settings?.expiresAt, now + 90 * dayMs);
  assert.equal(settled({}, { lifeMsMax: 45 * dayMs }).settings?.expiresAt, now + 45 * dayMs);
});

test('a date counts to the end of that day, though never beyond what the policy allows', () => {
  const date = '2027-05-20';
  assert.equal(settled({ expiry: 'date', date }).settings?.expiresAt, new Date(2027, 4, 21).getTime());
  const policy = { lifeMsMax: 10 * dayMs };
  assert.equal(settled({ expiry: 'date', date }, policy).settings?.expiresAt, now + 10 * dayMs);
  assert.deepEqual(wrongFields({ expiry: 'date', date: '2027-05-21' }, policy), ['date']);
});

test('days that are over or never were are told beside the date', () => {
  for (const date of ['', '2027-05-09', '2027-02-30', '10.5.2028', '2027-13-01']) {
    assert.deepEqual(wrongFields({ expiry: 'date', date }), ['date'], date);
  }
  assert.deepEqual(wrongFields({ expiry: 'date', date: '2027-05-10' }), []);
});

test('an end that moves with use has an absolute end where life is limited', () => {
  const draft = { expiry: 'sliding', slidingDays: '14' } as const;
  assert.deepEqual(settled(draft).settings?.until, null);
  const limited = settled(draft, { lifeMsMax: 45 * dayMs }).settings;
  assert.deepEqual([limited?.slidingMs, limited?.until], [14 * dayMs, now + 45 * dayMs]);
  for (const slidingDays of ['', '0', '-1', '1.5', '3651', 'two']) {
    assert.deepEqual(wrongFields({ ...draft, slidingDays }), ['slidingDays'], slidingDays);
  }
});

test('under a policy of scopes, everything is what it allows, and read only that without writing', () => {
  const policy = { scopes: ['path:/dav/{user}/:rw', 'route:calendar:w', 'path:/pub/:r'] };
  assert.deepEqual(settled({ access: 'everything' }, policy).settings?.scopes, policy.scopes);
  assert.deepEqual(settled({ access: 'read' }, policy).settings?.scopes, [
    'path:/dav/{user}/:r',
    'path:/pub/:r',
  ]);
  assert.deepEqual(settled({ access: 'read' }).settings?.scopes, ['path:/:r']);
});

test('every mistake is told at once', () => {
  const draft = { name: '', access: 'folders', notBefore: 'soon', deleteUnusedDays: '0' } as const;
  assert.deepEqual(wrongFields(draft), ['name', 'access-folders', 'notBefore', 'deleteUnusedDays']);
  assert.deepEqual(wrongFields({ name: 'x'.repeat(121) }), ['name']);
});

test('networks come one to a line, or with commas', () => {
  const { settings } = settled({ networks: '192.0.2.0/24\n2001:db8::/32, 198.51.100.7\n' });
  assert.deepEqual(settings?.networks, ['192.0.2.0/24', '2001:db8::/32', '198.51.100.7']);
});
