import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStage } from './stage.ts';

test('of edits made from one version exactly one counts, and the others are told', async (t) => {
  const stage = await startStage(t);
  const place = `/v1/tokens/${stage.aliceToken.token.id}`;
  const { headers } = await stage.ask('GET', place, stage.fullKey);
  const etag = headers.get('etag') ?? '';
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, at) =>
      stage.ask('PATCH', place, stage.fullKey, {
        json: { name: `name ${at}` },
        headers: { 'If-Match': etag },
      }),
    ),
  );
  assert.deepEqual(
    answers.map(({ status }) => status).toSorted((a, b) => a - b),
    [200, ...Array.from({ length: 9 }, () => 412)],
  );
  const winner = answers.find(({ status }) => status === 200);
  const now = await stage.ask('GET', place, stage.fullKey);
  assert.deepEqual([now.json.name, now.headers.get('etag')], [winner?.json.name, '"2"']);
});

test('If-Match is honoured by every edit: tokens, switches, users, the policy', async (t) => {
  const stage = await startStage(t);
  const token = `/v1/tokens/${stage.aliceToken.token.id}`;
  const policy = {
    ...{ lifeSecondsMax: null, expiryRequired: false, scopes: null },
    ...{ startsEnabled: true, everybodyMayHaveTokens: true },
  };
  const edits = [
    ['PATCH', token, { name: 'x' }],
    ['POST', `${token}/disable`, undefined],
    ['PATCH', `/v1/users/${stage.alice.user.id}`, { displayName: 'Alice' }],
    ['PUT', '/v1/policy', policy],
  ] as const;
  for (const [method, path, json] of edits) {
    const ask = (ifMatch: string) =>
      stage.ask(method, path, stage.fullKey, { json, headers: { 'If-Match': ifMatch } });
    for (const never of ['"99"', 'W/"1"', '"x"', '"01"', '""']) {
      const answer = await ask(never);
      assert.deepEqual([answer.status, answer.json.code], [412, 'stale'], `${method} ${path} ${never}`);
    }
    for (const bad of ['1', '"1', '"1", "2"', "'1'"]) {
      const answer = await ask(bad);
      assert.deepEqual([answer.status, answer.json.code], [400, 'bad_precondition'], `${path} ${bad}`);
    }
    const fresh = await stage.ask('GET', path.replace('/disable', ''), stage.fullKey);
    const granted = await ask(fresh.headers.get('etag') ?? '');
    assert.equal(granted.status, 200, granted.text);
    assert.notEqual(granted.headers.get('etag'), fresh.headers.get('etag'));
  }
});

test('without If-Match, or with *, the last edit wins; the policy wants it always', async (t) => {
  const stage = await startStage(t);
  const place = `/v1/tokens/${stage.aliceToken.token.id}`;
  const edit = (headers: Readonly<Record<string, string>>) =>
    stage.ask('PATCH', place, stage.fullKey, { json: { name: 'x' }, headers });
  assert.equal((await edit({})).status, 200);
  assert.equal((await edit({ 'If-Match': '*' })).status, 200);
  const json = {
    ...{ lifeSecondsMax: null, expiryRequired: false, scopes: null },
    ...{ startsEnabled: true, everybodyMayHaveTokens: true },
  };
  for (const headers of [{}, { 'If-Match': '*' }]) {
    const answer = await stage.ask('PUT', '/v1/policy', stage.fullKey, { json, headers });
    assert.deepEqual([answer.status, answer.json.code], [428, 'precondition_needed']);
  }
});

test('If-Match where nothing would honour it is refused rather than ignored', async (t) => {
  const stage = await startStage(t);
  const place = `/v1/tokens/${stage.aliceToken.token.id}`;
  const headers = { 'If-Match': '"1"' };
  for (const [method, path] of [
    ['DELETE', place],
    ['POST', `${place}/regenerate`],
  ] as const) {
    const answer = await stage.ask(method, path, stage.fullKey, { headers });
    assert.deepEqual([answer.status, answer.json.code], [400, 'bad_precondition'], path);
  }
  assert.equal((await stage.bearer(stage.aliceToken.value)).kind, 'verified');
});

test('a use of the token does not change its version', async (t) => {
  const stage = await startStage(t);
  const place = `/v1/tokens/${stage.aliceToken.token.id}`;
  await stage.bearer(stage.aliceToken.value);
  await stage.lastUse.flush();
  const used = await stage.ask('GET', place, stage.fullKey);
  assert.notEqual(used.json['lastUse'], null);
  assert.equal(used.headers.get('etag'), '"1"');
});
