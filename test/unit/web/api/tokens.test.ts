import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startApi } from './api-world.ts';

test('a person makes, reads, edits, copies, regenerates, switches and revokes a token of its own', async (t) => {
  const api = await startApi(t);
  const { identity, user } = await api.signedIn('alice');
  const made = await api.ask('POST', '/v1/tokens', identity, {
    json: { name: 'phone', scopes: ['path:/dav/{user}/:r'], expiresAt: '2026-02-01T01:00:00+01:00' },
  });
  assert.equal(made.status, 201, made.text);
  const { token, value } = made.json;
  assert.match(value, /^lk_[0-9A-Za-z]{42}$/);
  assert.equal(made.headers.get('location'), `/.latchkey/api/v1/tokens/${token.id}`);
  assert.equal(made.headers.get('etag'), '"1"');
  assert.deepEqual(token.owner, { id: user.id, name: 'alice' });
  assert.deepEqual([token.scopes, token.expiresAt], [['path:/dav/alice/:r'], '2026-02-01T00:00:00.000Z']);
  assert.equal((await api.bearer(value)).kind, 'verified');

  const place = `/v1/tokens/${token.id}`;
  const read = await api.ask('GET', place, identity);
  assert.deepEqual([read.status, read.json, read.headers.get('etag')], [200, token, '"1"']);

  const edited = await api.ask('PATCH', place, identity, { json: { name: 'old phone', expiresAt: null } });
  assert.deepEqual([edited.status, edited.headers.get('etag')], [200, '"2"'], edited.text);
  assert.deepEqual([edited.json.name, edited.json.expiresAt], ['old phone', null]);
  assert.deepEqual(edited.json.scopes, ['path:/dav/alice/:r'], 'what is left out stays');

  const copied = await api.ask('POST', `${place}/copy`, identity, { json: { name: 'new phone' } });
  assert.equal(copied.status, 201, copied.text);
  assert.notEqual(copied.json.token.id, token.id);
  assert.equal((await api.bearer(copied.json.value)).kind, 'verified');

  const regenerated = await api.ask('POST', `${place}/regenerate`, identity);
  assert.equal(regenerated.status, 200, regenerated.text);
  assert.equal(regenerated.json.token.id, token.id);
  assert.equal((await api.bearer(value)).kind, 'refused');
  assert.equal((await api.bearer(regenerated.json.value)).kind, 'verified');

  const off = await api.ask('POST', `${place}/disable`, identity);
  assert.deepEqual([off.status, off.json.state, off.json.enabled], [200, 'off', false]);
  const on = await api.ask('POST', `${place}/enable`, identity);
  assert.deepEqual([on.status, on.json.state], [200, 'active']);

  const revoked = await api.ask('DELETE', place, identity);
  assert.equal(revoked.status, 200, revoked.text);
  assert.deepEqual(
    [revoked.status, revoked.json.state, revoked.json.revocation.by],
    [200, 'revoked', 'user:alice'],
  );
  assert.equal((await api.bearer(regenerated.json.value)).kind, 'refused');
  assert.equal((await api.ask('PATCH', place, identity, { json: { name: 'x' } })).json.code, 'revoked');
});
