import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answer } from './api-world.ts';
import { operationsIn, type Placed, readDocument, validatorOf } from './document.ts';
import { identityOf, type Sample, samples, type Stage, startStage } from './stage.ts';

const document = await readDocument();
const operations = operationsIn(document);

/** The status is documented and the body is what its schema says. */
function assertDocumented({ operationId, responses }: Placed, { status, headers, text }: Answer): void {
  const response = responses[String(status)] ?? (status >= 500 ? responses['5XX'] : undefined);
  assert.ok(response, `${operationId}: ${status} is not documented: ${text}`);
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  if (response.content === undefined) {
    assert.equal(text, '', operationId);
    return;
  }
  const schema = response.content[type]?.schema;
  assert.ok(schema, `${operationId}: ${type} is not documented for ${status}`);
  const bodies = type === 'application/x-ndjson' ? text.trim().split('\n') : [text];
  for (const body of bodies) {
    const checked = validatorOf(document, schema).safeParse(JSON.parse(body));
    assert.ok(checked.success, `${operationId} ${status}: ${checked.error?.message} in ${body}`);
  }
}

function sampleOf(stage: Stage, { operationId }: Placed): Sample {
  const sample = samples(stage)[operationId];
  assert.ok(sample, `no test asks for ${operationId}`);
  return sample;
}

for (const operation of operations) {
  const { operationId, method } = operation;
  test(`${operationId} answers what the document says, and keeps it out of caches`, async (t) => {
    const stage = await startStage(t);
    const sample = sampleOf(stage, operation);
    const answer = await stage.ask(method, sample.path, identityOf(stage, sample), sample.sent);
    assert.equal(answer.status, sample.status, answer.text);
    assertDocumented(operation, answer);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    if (sample.as === undefined)
      assert.deepEqual(answer.headers.getSetCookie(), [], 'scripts keep no cookies');
    assert.deepEqual(stage.siteFaults, []);
  });
}

test('an app token, a wrong key, nothing and garbage are one and the same 401 everywhere but at /v1/self', async (t) => {
  const stage = await startStage(t);
  const basic = Buffer.from(`alice:${stage.aliceToken.value}`).toString('base64');
  const wrongs = [
    `Bearer ${stage.aliceToken.value}`,
    `Bearer lk_${'x'.repeat(42)}`,
    `Bearer lka_${'x'.repeat(43)}`,
    'Bearer',
    `Basic ${basic}`,
    'Digest username="alice"',
    'garbage',
  ];
  for (const operation of operations.filter(({ path }) => path !== '/v1/self')) {
    const { method, operationId } = operation;
    const { path, sent } = sampleOf(stage, operation);
    const answers: Answer[] = [await stage.ask(method, path, {}, sent)];
    assert.equal(answers[0]?.headers.get('www-authenticate'), 'Bearer realm="Latchkey"');
    for (const Authorization of wrongs) {
      const answer = await stage.ask(method, path, { Authorization }, sent);
      assert.equal(answer.headers.get('www-authenticate'), 'Bearer realm="Latchkey", error="invalid_token"');
      answers.push(answer);
    }
    for (const answer of answers) {
      assertDocumented(operation, answer);
      assert.deepEqual([answer.status, answer.text], [401, answers[0]?.text], operationId);
    }
  }
  const after = await stage.bearer(stage.aliceToken.value);
  assert.equal(after.kind, 'verified', 'none of them did anything');
});

test('a session and an Authorization at once are refused, whatever they are worth', async (t) => {
  const stage = await startStage(t);
  for (const operation of operations) {
    const { method, operationId } = operation;
    const { path, sent } = sampleOf(stage, operation);
    for (const second of [stage.fullKey, { Authorization: `Bearer ${stage.aliceToken.value}` }]) {
      const answer = await stage.ask(method, path, { ...stage.root.identity, ...second }, sent);
      assert.deepEqual([answer.status, answer.json.code], [400, 'two_credentials'], operationId);
      assertDocumented(operation, answer);
    }
  }
});

test('whatever changes something with a session is refused without its CSRF token, or with another’s', async (t) => {
  const stage = await startStage(t);
  const { 'X-CSRF-Token': _own, ...cookieAlone } = stage.root.identity;
  const foreign = { ...stage.root.identity, 'X-CSRF-Token': stage.bob.identity['X-CSRF-Token'] ?? '' };
  for (const operation of operations.filter(({ method, path }) => method !== 'GET' && path !== '/v1/self')) {
    const { path, sent } = sampleOf(stage, operation);
    for (const identity of [cookieAlone, foreign]) {
      const answer = await stage.ask(operation.method, path, identity, sent);
      assert.deepEqual([answer.status, answer.json.code], [403, 'form_expired'], operation.operationId);
      assertDocumented(operation, answer);
    }
    for (const headers of [{ Origin: 'https://evil.example' }, { 'Sec-Fetch-Site': 'cross-site' }]) {
      const answer = await stage.ask(operation.method, path, { ...stage.root.identity, ...headers }, sent);
      assert.deepEqual([answer.status, answer.json.code], [403, 'foreign_request'], operation.operationId);
    }
  }
  assert.equal((await stage.ask('GET', `/v1/users/${stage.alice.user.id}`, stage.fullKey)).status, 200);
});

test('a person whose confirmation is older than allowed changes nothing that needs one', async (t) => {
  const stage = await startStage(t);
  stage.clock.advance(300_001);
  const needNone = ['endSession', 'endSessions', 'confirm', 'signOut', 'changeOwnLanguage', 'revokeSelf'];
  for (const operation of operations) {
    const { method, operationId, path: template } = operation;
    if (method === 'GET' || template === '/v1/self' || needNone.includes(operationId)) continue;
    const { path, sent } = sampleOf(stage, operation);
    const headers = { ...sent?.headers, 'Idempotency-Key': 'a key that is long enough' };
    const answer = await stage.ask(method, path, stage.root.identity, { ...sent, headers });
    assert.deepEqual([answer.status, answer.json.code], [403, 'confirmation_needed'], operationId);
    assertDocumented(operation, answer);
  }
});

test('other methods are 405 with Allow, OPTIONS tells the same, HEAD is GET without a body', async (t) => {
  const stage = await startStage(t);
  for (const path of new Set(operations.map((operation) => operation.path))) {
    const known = operations.filter((operation) => operation.path === path).map(({ method }) => method);
    const [first] = operations.filter((operation) => operation.path === path);
    const sample = sampleOf(stage, first as Placed);
    const identity = identityOf(stage, sample);
    const allow = [...known, ...(known.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    const options = await stage.ask('OPTIONS', sample.path, identity);
    assert.deepEqual([options.status, options.headers.get('allow')], [204, allow], path);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((each) => !known.includes(each))) {
      const answer = await stage.ask(method, sample.path, identity, method === 'GET' ? {} : { json: {} });
      assert.deepEqual([answer.status, answer.json.code], [405, 'method_refused'], `${method} ${path}`);
      assert.equal(answer.headers.get('allow'), allow);
    }
    if (!known.includes('GET')) continue;
    const [get, head] = [
      await stage.ask('GET', sample.path, identity),
      await stage.ask('HEAD', sample.path, identity),
    ];
    assert.deepEqual([head.status, head.text], [get.status, ''], path);
    assert.equal(head.headers.get('content-type'), get.headers.get('content-type'), path);
  }
});

test('what is no resource is 404, whoever asks', async (t) => {
  const stage = await startStage(t);
  for (const path of ['/v1', '/v1/', '/v1/nothing', '/v1/tokens/x/y/z', '/v2/tokens']) {
    const answer = await stage.ask('GET', path, stage.fullKey);
    assert.deepEqual([answer.status, answer.json.code], [404, 'not_found'], path);
    assert.equal(answer.headers.get('content-type'), 'application/problem+json');
    assert.equal((await stage.ask('GET', path)).text, answer.text);
  }
});
