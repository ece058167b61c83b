import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Identity } from './api-world.ts';
import { startStage } from './stage.ts';

const basic = (user: string, secret: string): Identity => ({
  Authorization: `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`,
});
const bearer = (secret: string): Identity => ({ Authorization: `Bearer ${secret}` });

test('a token asks who it is, as Bearer or with its owner’s name', async (t) => {
  const stage = await startStage(t);
  const { token, value } = stage.aliceToken;
  for (const identity of [bearer(value), basic('alice', value), basic(stage.alice.user.id, value)]) {
    const { status, json } = await stage.ask('GET', '/v1/self', identity);
    assert.equal(status, 200);
    assert.deepEqual(json, {
      ...{ id: token.id, name: 'phone', prefix: token.prefix, scopes: ['*'] },
      user: { id: stage.alice.user.id, name: 'alice' },
      ...{ createdAt: '2026-01-01T00:00:00.000Z', expiresAt: null },
    });
  }
});

test('a sliding token is told the end that this use gives it, never past its absolute end', async (t) => {
  const stage = await startStage(t);
  const until = stage.clock.now() + 5_400_000;
  const { value } = await stage.mint(stage.alice.user, { slidingMs: 3_600_000, until });
  stage.clock.advance(1_000_000);
  const soon = await stage.ask('GET', '/v1/self', bearer(value));
  assert.equal(soon.json.expiresAt, new Date(stage.clock.now() + 3_600_000).toISOString());
  stage.clock.advance(1_000_000);
  const last = await stage.ask('GET', '/v1/self', bearer(value));
  assert.equal(last.json.expiresAt, new Date(until).toISOString());
});

test('a token revokes itself, and the audit trail says that it did', async (t) => {
  const stage = await startStage(t);
  const { token, value } = stage.aliceToken;
  const done = await stage.ask('DELETE', '/v1/self', bearer(value));
  assert.deepEqual([done.status, done.text], [204, '']);
  assert.equal((await stage.bearer(value)).kind, 'refused');
  assert.equal((await stage.ask('GET', '/v1/self', bearer(value))).status, 401);
  assert.equal((await stage.ask('DELETE', '/v1/self', bearer(value))).status, 401);
  const { json } = await stage.ask('GET', `/v1/audit?token=${token.id}&action=token.revoke`, stage.fullKey);
  assert.deepEqual(
    json.items.map(({ actor }) => actor),
    [`token:${token.id}`],
  );
});

test('every refusal is one and the same 401, whatever is wrong with the token', async (t) => {
  const stage = await startStage(t);
  const off = await stage.mint(stage.alice.user);
  await stage.ask('POST', `/v1/tokens/${off.token.id}/disable`, stage.fullKey);
  const expired = await stage.mint(stage.alice.user, { expiresAt: stage.clock.now() + 1_000 });
  const elsewhere = await stage.mint(stage.alice.user, { networks: ['198.51.100.0/24'] });
  stage.clock.advance(2_000);
  const wrong = [
    bearer(`lk_${'x'.repeat(42)}`),
    bearer('lka_x'),
    bearer(off.value),
    bearer(expired.value),
    bearer(elsewhere.value),
    stage.fullKey,
  ];
  for (const identity of wrong) {
    const answer = await stage.ask('GET', '/v1/self', identity);
    assert.deepEqual([answer.status, answer.json.code], [401, 'unauthenticated']);
    assert.equal(
      answer.headers.get('www-authenticate'),
      'Basic realm="Latchkey", charset="UTF-8", Bearer realm="Latchkey", error="invalid_token"',
    );
  }
  for (const identity of [{}, basic('bob', stage.aliceToken.value), basic('alice', 'correct horse')]) {
    const answer = await stage.ask('GET', '/v1/self', identity);
    assert.equal(answer.status, 401);
    assert.equal(
      answer.headers.get('www-authenticate'),
      'Basic realm="Latchkey", charset="UTF-8", Bearer realm="Latchkey"',
    );
  }
  const garbage = await stage.ask('GET', '/v1/self', { Authorization: 'Basic !' });
  assert.deepEqual([garbage.status, garbage.json.code], [400, 'malformed_credential']);
});

test('guessing ends in 429 as everywhere, and a valid token passes all the same', async (t) => {
  const stage = await startStage(t, {
    guessLimits: { perAccount: 5, perClient: 5, windowMs: 900_000 },
  });
  const answers = [];
  for (let at = 0; at < 8; at++) {
    answers.push(await stage.ask('GET', '/v1/self', basic('alice', `wrong ${at}`)));
  }
  assert.deepEqual(
    answers.map(({ status }) => status),
    [401, 401, 401, 401, 401, 429, 429, 429],
  );
  const last = answers.at(-1);
  assert.equal(last?.json.code, 'too_many_failures');
  assert.ok(Number(last?.headers.get('retry-after')) > 0);
  assert.equal((await stage.ask('GET', '/v1/self', basic('alice', stage.aliceToken.value))).status, 200);
});
