import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Fault } from '../../../../src/core/errors.ts';
import type { TokenStore } from '../../../../src/tokens/token-store.ts';
import type { AnyBody, Identity } from './api-world.ts';
import { type Stage, startStage } from './stage.ts';

/** Everything from the first page on, by the addresses that Link gives. */
async function walk(stage: Stage, path: string, identity: Identity): Promise<readonly AnyBody[]> {
  const items: AnyBody[] = [];
  for (let next: string | null = path; next !== null; ) {
    const page = await stage.ask('GET', next, identity);
    assert.equal(page.status, 200, page.text);
    items.push(...page.json.items);
    const [, address = null] =
      /^<\/\.latchkey\/api([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '') ?? [];
    assert.equal(address === null, page.json.next === null, 'Link and next tell the same');
    if (address !== null) {
      assert.equal(new URL(address, 'http://x').searchParams.get('after'), page.json.next);
    }
    next = address;
  }
  return items;
}

test('a list is read to its end by the Link of each page, in each order, with all filters kept', async (t) => {
  const stage = await startStage(t);
  for (let at = 0; at < 25; at++) {
    await stage.mint(stage.alice.user, { name: `laptop ${String(at).padStart(2, '0')}` });
    stage.clock.advance(1_000);
  }
  const names = Array.from({ length: 25 }, (_, at) => `laptop ${String(at).padStart(2, '0')}`);
  const path = `/v1/tokens?user=${stage.alice.user.id}&q=lapt%6Fp&limit=7&order=`;
  for (const [order, expected] of [
    ['name', names],
    ['-name', names.toReversed()],
    ['created', names],
    ['-created', names.toReversed()],
  ] as const) {
    const found = await walk(stage, path + order, stage.fullKey);
    assert.deepEqual(
      found.map(({ name }) => name),
      expected,
      order,
    );
  }
  const whole = await stage.ask('GET', '/v1/tokens?limit=200', stage.alice.identity);
  assert.deepEqual([whole.json.items.length, whole.json['total'], whole.headers.get('link')], [26, 26, null]);
});

test('states filter the list of tokens: revoked ones only where asked for', async (t) => {
  const stage = await startStage(t);
  const off = await stage.mint(stage.alice.user, { name: 'off' });
  const dead = await stage.mint(stage.alice.user, { name: 'dead' });
  await stage.ask('POST', `/v1/tokens/${off.token.id}/disable`, stage.alice.identity);
  await stage.ask('DELETE', `/v1/tokens/${dead.token.id}`, stage.alice.identity);
  const names = async (query: string): Promise<readonly string[]> =>
    (await stage.ask('GET', `/v1/tokens?order=name${query}`, stage.alice.identity)).json.items.map(
      ({ name }) => name,
    );
  assert.deepEqual(await names(''), ['off', 'phone']);
  assert.deepEqual(await names('&state=active'), ['phone']);
  assert.deepEqual(await names('&state=off'), ['off']);
  assert.deepEqual(await names('&state=revoked'), ['dead']);
});

test('users are found by part of their name, role and whether they are shut out', async (t) => {
  const stage = await startStage(t);
  await stage.ask('PATCH', `/v1/users/${stage.bob.user.id}`, stage.fullKey, { json: { disabled: true } });
  const names = async (query: string): Promise<readonly string[]> =>
    (await walk(stage, `/v1/users?limit=1${query}`, stage.fullKey)).map(({ name }) => name);
  assert.deepEqual(await names(''), ['alice', 'bob', 'root']);
  assert.deepEqual(await names('&q=LIC'), ['alice']);
  assert.deepEqual(await names('&role=admin'), ['root']);
  assert.deepEqual(await names('&shutOut=true'), ['bob']);
  assert.deepEqual(await names('&shutOut=false'), ['alice', 'root']);
});

test('a cursor that no page gave ends in an empty page or a refusal, never in a failure', async (t) => {
  const stage = await startStage(t);
  for (const path of ['/v1/tokens', '/v1/users', '/v1/audit']) {
    for (const after of ['x', '%00', 'W10', "'--", 'x'.repeat(2_049)]) {
      const answer = await stage.ask('GET', `${path}?after=${after}`, stage.fullKey);
      assert.ok(answer.status === 400 || answer.json.items.length === 0, `${path} ${answer.text}`);
    }
  }
  assert.deepEqual(stage.siteFaults, []);
});

test('the export holds every event of the list, over many pages, a line each', async (t) => {
  const stage = await startStage(t);
  for (let at = 0; at < 450; at++) await stage.mint(stage.alice.user, { name: `n${at}` });
  const listed = await walk(stage, '/v1/audit?action=token.&limit=200', stage.fullKey);
  const exported = await stage.ask('GET', '/v1/audit/export?action=token.', stage.fullKey);
  assert.equal(exported.headers.get('content-type'), 'application/x-ndjson');
  assert.match(exported.headers.get('content-disposition') ?? '', /^attachment; filename="[\w.-]+"$/);
  const lines = exported.text.trimEnd().split('\n');
  assert.equal(lines.length, 452);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as AnyBody),
    listed,
  );
});

test('moments and durations in the details of events are written as everywhere else', async (t) => {
  const stage = await startStage(t);
  await stage.ask('PATCH', `/v1/tokens/${stage.aliceToken.token.id}`, stage.fullKey, {
    json: { expiresAt: '2026-02-01T00:00:00Z', deleteUnusedSeconds: 7_200 },
  });
  const { json } = await stage.ask('GET', '/v1/audit?action=token.edit', stage.fullKey);
  const { details } = json.items[0] as AnyBody;
  assert.equal(details.expiresAt, '2026-02-01T00:00:00.000Z');
  assert.equal(details['deleteUnusedSeconds'], 7_200);
});

test('an export that breaks off ends its connection, so that nobody takes it for whole', async (t) => {
  const stage = await startStage(t, {
    wrapStore: (store): TokenStore => ({
      ...store,
      searchAudit: (query) =>
        query.after === undefined
          ? store.searchAudit({ ...query, limit: 1 })
          : Promise.reject(new Fault('store_unavailable', 'the disk is away')),
    }),
  });
  await assert.rejects(stage.ask('GET', '/v1/audit/export', stage.fullKey));
  assert.deepEqual(stage.siteFaults.map(String), ['Fault: the disk is away']);
  assert.equal((await stage.ask('GET', '/v1/users', stage.fullKey)).status, 200);
});
