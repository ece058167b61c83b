import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { type Document, operationsIn, readDocument, validatorOf } from './document.ts';

const document = await readDocument();
const operations = operationsIn(document);

test('the document is the one in docs/openapi.json', async () => {
  const kept = await readFile(new URL('../../../../docs/openapi.json', import.meta.url), 'utf8');
  assert.deepEqual(JSON.parse(kept), document, 'write it anew: node scripts/openapi.ts');
});

test('the document is OpenAPI 3.1 with addresses below the mount', () => {
  assert.match(document.openapi, /^3\.1\.\d+$/);
  assert.deepEqual(document.servers, [{ url: '/.latchkey/api' }]);
  for (const path of Object.keys(document.paths)) assert.match(path, /^\/v1(\/[a-z-]+|\/\{[a-z]+\})+$/);
});

test('every operation has a name of its own, a summary, a group, and says who may ask', () => {
  const names = operations.map(({ operationId }) => operationId);
  assert.equal(new Set(names).size, names.length);
  for (const { operationId, summary, tags, security } of operations) {
    assert.match(summary, /^[A-Z]/, operationId);
    assert.equal(tags.length, 1, operationId);
    assert.ok(security.length > 0, operationId);
    for (const name of security.flatMap(Object.keys)) {
      assert.ok(Object.hasOwn(document.components.securitySchemes, name), `${operationId}: ${name}`);
    }
  }
});

test('whatever changes something with a session needs the CSRF token', () => {
  for (const { operationId, method, security } of operations) {
    const withSession = security.filter((each) => 'session' in each);
    for (const each of withSession) assert.equal('csrf' in each, method !== 'GET', operationId);
  }
});

test('every parameter of a path is described, and every reference leads somewhere', () => {
  for (const { operationId, path, parameters = [] } of operations) {
    const inPath = parameters.filter((each) => each.in === 'path').map(({ name }) => `{${name}}`);
    assert.deepEqual(inPath, path.match(/\{\w+\}/g) ?? [], operationId);
  }
  const { schemas } = document.components;
  for (const [, name = ''] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    assert.ok(Object.hasOwn(schemas, name), name);
  }
});

test('every schema can be read as JSON Schema and forbids what it does not name', () => {
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    assert.doesNotThrow(() => validatorOf(document, schema), name);
    // Problems may have members of their own (RFC 9457 section 3.2).
    if (name === 'Problem' || 'oneOf' in schema) continue;
    assert.equal((schema as { additionalProperties?: unknown }).additionalProperties, false, name);
  }
});

test('every operation says what its refusals look like', () => {
  for (const { operationId, responses } of operations) {
    const refusals = Object.entries(responses).filter(([status]) => !status.startsWith('2'));
    assert.ok(
      refusals.some(([status]) => status === '401'),
      operationId,
    );
    for (const [status, { content }] of refusals) {
      assert.deepEqual(Object.keys(content ?? {}), ['application/problem+json'], `${operationId} ${status}`);
    }
  }
});

test('no word of the document speaks of values that would be secrets', () => {
  const text = JSON.stringify(document satisfies Document);
  assert.doesNotMatch(text, /lk_[0-9A-Za-z]{8}|lka_[0-9A-Za-z_-]{8}/);
});
