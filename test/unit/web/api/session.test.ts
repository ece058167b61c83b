import assert from 'node:assert/strict';
import { test } from 'node:test';
import { password } from './api-world.ts';
import { startStage } from './stage.ts';

test('who asks is told, with what a page’s script needs to go on', async (t) => {
  const stage = await startStage(t);
  const { json } = await stage.ask('GET', '/v1/session', stage.alice.identity);
  assert.equal(json['kind'], 'person');
  assert.deepEqual([json.user.id, json.session.id], [stage.alice.user.id, stage.alice.sessionId]);
  assert.equal(json['csrfToken'], stage.alice.identity['X-CSRF-Token']);
  assert.deepEqual([json['confirmation'], json['mayHaveTokens']], ['password', true]);
  assert.equal(json['confirmedUntil'], '2026-01-01T00:05:00.000Z');
  assert.doesNotMatch(JSON.stringify(json), /argon2|secret/i);
  stage.clock.advance(300_000);
  const later = await stage.ask('GET', '/v1/session', stage.alice.identity);
  assert.equal(later.json['confirmedUntil'], null);
});

test('the password confirms for five minutes; a wrong one does not, and too many wait', async (t) => {
  const stage = await startStage(t, { guessLimits: { perAccount: 3, perClient: 100, windowMs: 900_000 } });
  stage.clock.advance(300_001);
  const place = `/v1/tokens/${stage.aliceToken.token.id}`;
  const edit = () => stage.ask('PATCH', place, stage.alice.identity, { json: { name: 'x' } });
  const confirm = (text: string) =>
    stage.ask('POST', '/v1/session/confirm', stage.alice.identity, { json: { password: text } });
  assert.equal((await edit()).json.code, 'confirmation_needed');
  const wrong = await confirm('wrong');
  assert.deepEqual([wrong.status, wrong.json.code], [403, 'sign_in_refused']);
  assert.equal((await edit()).json.code, 'confirmation_needed');
  const right = await confirm(password);
  assert.equal(right.status, 200);
  assert.equal(right.json['confirmedUntil'], new Date(stage.clock.now() + 300_000).toISOString());
  assert.equal((await edit()).status, 200);
  const codes = [];
  for (let at = 0; at < 4; at++) codes.push((await confirm(`guess ${at}`)).json.code);
  assert.equal(codes.at(-1), 'throttled');
  const waiting = await confirm('another guess');
  assert.deepEqual([waiting.status, Number(waiting.headers.get('retry-after')) > 0], [429, true]);
});

test('signing out ends the session and takes its cookie away', async (t) => {
  const stage = await startStage(t);
  const done = await stage.ask('DELETE', '/v1/session', stage.alice.identity);
  assert.deepEqual([done.status, done.json['continueAt']], [200, null]);
  assert.match(done.headers.getSetCookie().join('\n'), /^__Host-latchkey=;.*Max-Age=0/m);
  assert.equal((await stage.ask('GET', '/v1/session', stage.alice.identity)).status, 401);
});

test('one session can be ended without the others, and all at once with or without the one that asks', async (t) => {
  const stage = await startStage(t);
  const mine = await stage.ask('GET', '/v1/users/me/sessions', stage.alice.identity);
  assert.deepEqual(
    mine.json.items.map((session) => [session.id, session['isCurrent'], session['client']]),
    [[stage.alice.sessionId, true, 'test']],
  );
  const all = `/v1/users/${stage.alice.user.id}/sessions`;
  const kept = await stage.ask('DELETE', `${all}?keepCurrent=true`, stage.alice.identity);
  assert.deepEqual([kept.status, kept.json['ended']], [200, 0]);
  assert.equal((await stage.ask('GET', '/v1/session', stage.alice.identity)).status, 200);
  const ended = await stage.ask('DELETE', all, stage.alice.identity);
  assert.deepEqual([ended.status, ended.json['ended']], [200, 1]);
  assert.match(ended.headers.getSetCookie().join('\n'), /^__Host-latchkey=;/m);
  assert.equal((await stage.ask('GET', '/v1/session', stage.alice.identity)).status, 401);
  assert.equal((await stage.ask('GET', '/v1/session', stage.bob.identity)).status, 200);
});

test('one’s own password needs the current one, and language needs nothing', async (t) => {
  const stage = await startStage(t);
  const change = (current: string, next: string) =>
    stage.ask('PUT', '/v1/account/password', stage.alice.identity, { json: { current, password: next } });
  const wrong = await change('not it', 'battery staple');
  assert.deepEqual(
    [wrong.status, wrong.json.code, wrong.json.errors[0]?.['pointer']],
    [403, 'wrong_password', '/current'],
  );
  assert.equal((await change(password, 'battery staple')).status, 200);
  assert.equal((await change(password, 'another one yet')).json.code, 'wrong_password');
  stage.clock.advance(300_001);
  const language = await stage.ask('PUT', '/v1/account/language', stage.alice.identity, {
    json: { language: 'de' },
  });
  assert.deepEqual([language.status, language.json['language']], [200, 'de']);
});

test('a new user gets a link at the address by which we were reached', async (t) => {
  const stage = await startStage(t);
  const made = await stage.ask('POST', '/v1/users', stage.fullKey, {
    json: { name: 'carol', email: 'c@example.org' },
  });
  assert.equal(made.status, 201, made.text);
  assert.match(made.json.passwordLink, new RegExp(`^${stage.url}/\\.latchkey/password/[\\w-]{43}$`));
  assert.equal(made.headers.get('location'), `/.latchkey/api/v1/users/${made.json.user.id}`);
  const again = await stage.ask('POST', '/v1/users', stage.fullKey, { json: { name: 'Carol' } });
  assert.deepEqual([again.status, again.json.code], [409, 'name_taken']);
});
