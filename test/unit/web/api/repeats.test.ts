import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { Fault } from '../../../../src/core/errors.ts';
import type { RepeatedRequests } from '../../../../src/management/repeated-requests.ts';
import type { Answer, Identity } from './api-world.ts';
import { type Stage, startStage } from './stage.ts';

const idempotencyKey = '6f1f8a52-9a4c-4f5e-8d0e-0d3a7b1c2e4f';

function make(
  stage: Stage,
  change: object = {},
  key: string = idempotencyKey,
  identity: Identity = stage.fullKey,
): Promise<Answer> {
  const json = { owner: stage.alice.user.id, name: 'sync', scopes: ['*'], ...change };
  return stage.ask('POST', '/v1/tokens', identity, { json, headers: { 'Idempotency-Key': key } });
}

async function countOf(stage: Stage): Promise<unknown> {
  const page = await stage.ask('GET', `/v1/tokens?user=${stage.alice.user.id}&q=sync`, stage.fullKey);
  return page.json.items.length;
}

test('the same request with the same key is answered as the first time, and makes one token', async (t) => {
  const stage = await startStage(t);
  const first = await make(stage);
  assert.equal(first.status, 201, first.text);
  const again = await make(stage);
  assert.deepEqual([again.status, again.text], [201, first.text]);
  for (const name of ['etag', 'location', 'content-type', 'cache-control']) {
    assert.equal(again.headers.get(name), first.headers.get(name), name);
  }
  assert.equal(await countOf(stage), 1);
  assert.equal((await stage.bearer(again.json.value)).kind, 'verified');
});

test('20 at once with one key make one token: one answer, and “still running” or the same to all others', async (t) => {
  const stage = await startStage(t);
  const answers = await Promise.all(Array.from({ length: 20 }, () => make(stage)));
  const made = answers.filter(({ status }) => status === 201);
  assert.ok(made.length >= 1);
  assert.equal(new Set(made.map(({ text }) => text)).size, 1);
  for (const { status, json, headers } of answers.filter((answer) => answer.status !== 201)) {
    assert.deepEqual([status, json.code, headers.get('retry-after')], [409, 'request_running', '1']);
  }
  assert.equal(await countOf(stage), 1);
});

test('the same key with another body, address or value is refused', async (t) => {
  const stage = await startStage(t);
  await make(stage);
  const other = await make(stage, { name: 'other' });
  assert.deepEqual([other.status, other.json.code], [422, 'key_reused']);
  const headers = { 'Idempotency-Key': idempotencyKey };
  const place = `/v1/tokens/${stage.aliceToken.token.id}/copy`;
  const copy = await stage.ask('POST', place, stage.fullKey, { json: {}, headers });
  assert.deepEqual([copy.status, copy.json.code], [422, 'key_reused']);
  assert.equal(await countOf(stage), 1);
});

test('another caller’s same key is another key', async (t) => {
  const stage = await startStage(t);
  const one = await make(stage);
  const other = await make(stage, {}, idempotencyKey, await stage.key(['tokens']));
  assert.deepEqual([one.status, other.status], [201, 201]);
  assert.notEqual(one.json.value, other.json.value);
  assert.equal(await countOf(stage), 2);
});

test('a key that could be guessed, or is no text, is refused', async (t) => {
  const stage = await startStage(t);
  for (const key of ['', 'short', 'x'.repeat(15), 'x'.repeat(256), `${'x'.repeat(20)}é`]) {
    const answer = await make(stage, {}, key);
    assert.deepEqual([answer.status, answer.json.code], [400, 'bad_key'], key);
  }
  assert.equal((await make(stage, {}, 'x'.repeat(16))).status, 201);
  assert.equal((await make(stage, {}, 'y'.repeat(255))).status, 201);
});

test('what came to nothing can be tried again with the same key', async (t) => {
  const stage = await startStage(t);
  await stage.ask('PUT', '/v1/policy', stage.fullKey, {
    json: {
      ...{ lifeSecondsMax: null, expiryRequired: true, scopes: null },
      ...{ startsEnabled: true, everybodyMayHaveTokens: true },
    },
    headers: { 'If-Match': '"0"' },
  });
  const refused = await make(stage);
  assert.deepEqual([refused.status, refused.json.code], [422, 'policy'], refused.text);
  assert.equal((await make(stage, { expiresAt: '2026-03-01T00:00:00Z' })).status, 201);
});

test('a failure of the store is 503, and leaves the key free', async (t) => {
  let isBroken = true;
  const stage = await startStage(t, {
    wrapStore: (store) => ({
      ...store,
      insert: (token, event) =>
        isBroken && token.name === 'sync'
          ? Promise.reject(new Fault('store_unavailable', 'the disk is away'))
          : store.insert(token, event),
    }),
  });
  const failed = await make(stage);
  assert.deepEqual([failed.status, failed.json.code], [503, 'store_unavailable']);
  isBroken = false;
  assert.equal((await make(stage)).status, 201);
});

test('a token that is made reaches its client also where its answer cannot be kept', async (t) => {
  const stage = await startStage(t, {
    wrapRepeated: (repeated): RepeatedRequests => ({
      ...repeated,
      finish: () => Promise.reject(new Fault('store_unavailable', 'the disk is away')),
    }),
  });
  const made = await make(stage);
  assert.equal(made.status, 201);
  assert.equal((await stage.bearer(made.json.value)).kind, 'verified');
  assert.equal((await make(stage)).json.code, 'request_running');
  stage.clock.advance(300_000);
  assert.equal((await make(stage)).status, 201, 'what was cut short may be tried again');
});

test('after 24 hours the key is new', async (t) => {
  const stage = await startStage(t);
  const first = await make(stage);
  stage.clock.advance(24 * 3_600_000 - 1);
  assert.equal((await make(stage)).text, first.text);
  stage.clock.advance(1);
  const later = await make(stage);
  assert.equal(later.status, 201);
  assert.notEqual(later.json.value, first.json.value);
});

test('the store holds neither the value of the token nor the key', async (t) => {
  const stage = await startStage(t);
  const { value } = (await make(stage)).json;
  const { path: file } = stage.database;
  const kept = await Promise.all(
    [file, `${file}-wal`].map((each) => readFile(each).catch(() => Buffer.alloc(0))),
  );
  const bytes = Buffer.concat(kept);
  assert.ok(bytes.length > 0);
  for (const secret of [value, value.slice(8), idempotencyKey]) assert.ok(!bytes.includes(secret));
});

test('who may no longer see what was made is not told it again, nor who has not confirmed', async (t) => {
  const stage = await startStage(t);
  const byRoot = await make(stage, {}, idempotencyKey, stage.root.identity);
  assert.equal(byRoot.status, 201);
  stage.clock.advance(300_001);
  const unconfirmed = await make(stage, {}, idempotencyKey, stage.root.identity);
  assert.equal(unconfirmed.json.code, 'confirmation_needed');
  await stage.ask('POST', '/v1/session/confirm', stage.root.identity, {
    json: { password: 'correct horse' },
  });
  assert.equal((await make(stage, {}, idempotencyKey, stage.root.identity)).text, byRoot.text);
  await stage.signedIn('second', 'admin');
  const demoted = await stage.ask('PATCH', `/v1/users/${stage.root.user.id}`, stage.fullKey, {
    json: { role: 'user' },
  });
  assert.equal(demoted.status, 200, demoted.text);
  const foreign = await make(stage, {}, idempotencyKey, stage.root.identity);
  assert.deepEqual([foreign.status, foreign.json.code], [404, 'not_found']);
});

test('regenerating, copying and making users can be repeated too', async (t) => {
  const stage = await startStage(t);
  const place = `/v1/tokens/${stage.aliceToken.token.id}`;
  const bodies = [
    ['regenerate', `${place}/regenerate`, {}],
    ['copy', `${place}/copy`, { name: 'sync copy' }],
    ['user', '/v1/users', { name: 'carol' }],
  ] as const;
  for (const [name, path, json] of bodies) {
    const headers = { 'Idempotency-Key': `a key for the request ${name}` };
    const first = await stage.ask('POST', path, stage.fullKey, { json, headers });
    const again = await stage.ask('POST', path, stage.fullKey, { json, headers });
    assert.ok(first.status < 300, first.text);
    assert.deepEqual([again.status, again.text], [first.status, first.text], name);
  }
});
