import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nobody } from '../../../support/token-world.ts';
import { operationsIn, readDocument } from './document.ts';
import { samples, startStage } from './stage.ts';

const operations = operationsIn(await readDocument());
const withId = operations.filter(({ path }) => path.includes('{'));

test('another user’s ids are as unknown as ids that nobody has, whatever is asked with them', async (t) => {
  const stage = await startStage(t);
  const before = await stage.ask('GET', `/v1/tokens/${stage.aliceToken.token.id}`, stage.fullKey);
  const unknown = (path: string): string =>
    path
      .replace(stage.aliceToken.token.id, nobody)
      .replace(stage.alice.user.id, nobody)
      .replace(stage.alice.sessionId, nobody);
  for (const { operationId, method } of withId) {
    const { path = '', sent } = samples(stage)[operationId] ?? {};
    const theirs = await stage.ask(method, path, stage.bob.identity, sent);
    const none = await stage.ask(method, unknown(path), stage.bob.identity, sent);
    assert.deepEqual([theirs.status, theirs.text], [none.status, none.text], operationId);
    const isForManagers = operationId.endsWith('User') || operationId === 'makePasswordLink';
    const expected = isForManagers && operationId !== 'readUser' ? 'not_allowed' : 'not_found';
    assert.equal(theirs.json.code, expected, `${operationId} ${theirs.text}`);
  }
  const own = `/v1/users/${stage.bob.user.id}/sessions/${stage.alice.sessionId}`;
  assert.equal((await stage.ask('DELETE', own, stage.bob.identity)).json.code, 'not_found');
  const after = await stage.ask('GET', `/v1/tokens/${stage.aliceToken.token.id}`, stage.fullKey);
  assert.equal(after.text, before.text);
  assert.equal((await stage.ask('GET', '/v1/session', stage.alice.identity)).status, 200);
});

test('an id in a body or a filter reaches no further than one in an address', async (t) => {
  const stage = await startStage(t);
  const { id: aliceId } = stage.alice.user;
  const asBob = async (method: string, path: string, json?: object): Promise<string> => {
    const answer = await stage.ask(method, path, stage.bob.identity, json === undefined ? {} : { json });
    return `${answer.status} ${answer.json.code}`;
  };
  const token = { name: 'x', scopes: ['*'] };
  assert.equal(await asBob('POST', '/v1/tokens', { ...token, owner: aliceId }), '404 not_found');
  assert.equal(await asBob('POST', '/v1/tokens', { ...token, owner: nobody }), '404 not_found');
  const ids = [stage.bobToken.token.id, stage.aliceToken.token.id];
  assert.equal(await asBob('POST', '/v1/tokens/revoke', { ids }), '404 not_found');
  assert.equal((await stage.bearer(stage.bobToken.value)).kind, 'verified', 'all or none');
  assert.equal(await asBob('GET', `/v1/tokens?user=${aliceId}`), '404 not_found');
  assert.equal(await asBob('GET', `/v1/audit?user=${aliceId}`), '404 not_found');
  const events = await stage.ask('GET', `/v1/audit?token=${stage.aliceToken.token.id}`, stage.bob.identity);
  assert.deepEqual(events.json.items, []);
  const mine = await stage.ask('GET', '/v1/tokens?user=me', stage.bob.identity);
  assert.deepEqual(
    mine.json.items.map(({ id }) => id),
    [stage.bobToken.token.id],
  );
});

test('ids of no such form are 404, in any letter case the same', async (t) => {
  const stage = await startStage(t);
  for (const id of ['x', '%00', '..%2fusers', nobody.slice(1), `${nobody}0`, "'%20or%201=1--", '%ff']) {
    const answer = await stage.ask('GET', `/v1/tokens/${id}`, stage.fullKey);
    assert.deepEqual([answer.status, answer.json.code], [404, 'not_found'], id);
  }
  const upper = await stage.ask(
    'GET',
    `/v1/tokens/${stage.aliceToken.token.id.toUpperCase()}`,
    stage.fullKey,
  );
  assert.equal(upper.json.id, stage.aliceToken.token.id);
});

test('a key does what its scopes say and nothing else', async (t) => {
  const stage = await startStage(t);
  for (const scope of ['users', 'tokens', 'audit'] as const) {
    const key = await stage.key([scope]);
    const own = new Map(operations.map((each) => [each.operationId, each.security[1]?.['adminKey']?.[0]]));
    for (const { operationId, method } of operations) {
      const needed = own.get(operationId);
      if (needed === undefined || needed === scope) continue;
      const { path = '', sent } = samples(stage)[operationId] ?? {};
      const answer = await stage.ask(method, path, key, sent);
      assert.deepEqual([answer.status, answer.json.code], [403, 'not_allowed'], `${scope}: ${operationId}`);
    }
    const who = await stage.ask('GET', '/v1/session', key);
    assert.deepEqual([who.status, who.json['kind']], [200, 'key']);
  }
});

test('what only people do is refused to keys', async (t) => {
  const stage = await startStage(t);
  for (const { operationId, method, security } of operations) {
    if (security.some((each) => 'adminKey' in each || 'appTokenBearer' in each)) continue;
    const { path = '', sent } = samples(stage)[operationId] ?? {};
    const answer = await stage.ask(method, path, stage.fullKey, sent);
    assert.deepEqual([answer.status, answer.json.code], [403, 'not_allowed'], operationId);
  }
  const answer = await stage.ask('POST', '/v1/tokens', stage.fullKey, { json: { name: 'x', scopes: ['*'] } });
  assert.deepEqual([answer.status, answer.json.errors[0]?.['pointer']], [422, '/owner']);
  assert.equal((await stage.ask('GET', '/v1/users/me', stage.fullKey)).status, 404);
});

test('a key that has expired counts no longer', async (t) => {
  const stage = await startStage(t);
  const key = await stage.key(['users'], stage.clock.now() + 60_000);
  assert.equal((await stage.ask('GET', '/v1/users', key)).status, 200);
  stage.clock.advance(60_000);
  const answer = await stage.ask('GET', '/v1/users', key);
  assert.deepEqual([answer.status, answer.json.code], [401, 'unauthenticated']);
});

test('a user who is shut out, and a session that is over, are nobody', async (t) => {
  const stage = await startStage(t);
  const shutOut = await stage.ask('PATCH', `/v1/users/${stage.bob.user.id}`, stage.fullKey, {
    json: { disabled: true },
  });
  assert.equal(shutOut.status, 200);
  assert.equal((await stage.ask('GET', '/v1/tokens', stage.bob.identity)).status, 401);
  stage.clock.advance(43_200_000);
  assert.equal((await stage.ask('GET', '/v1/tokens', stage.alice.identity)).status, 401);
});
