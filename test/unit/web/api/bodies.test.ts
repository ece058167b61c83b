import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import type { Answer } from './api-world.ts';
import { operationsIn, readDocument } from './document.ts';
import { samples, type Stage, startStage } from './stage.ts';

const operations = operationsIn(await readDocument());
const withBody = operations.filter(({ requestBody }) => requestBody !== undefined);

/** Whoever may send this operation's body: the admin, signed in, may send all of them. */
function send(stage: Stage, operationId: string, text: string | Uint8Array<ArrayBuffer>): Promise<Answer> {
  const operation = operations.find((each) => each.operationId === operationId);
  const { path = '', sent } = samples(stage)[operationId] ?? {};
  const headers = sent?.headers ?? {};
  return stage.ask(operation?.method ?? '', path, stage.root.identity, { text, headers });
}

test('a body that is not JSON in UTF-8 is 400, without what the parser says of it', async (t) => {
  const stage = await startStage(t);
  const texts = ['', '{', '{"name":"canary"', 'canary', "{'name':1}", '{"name":1}x', '﻿{}\u0000'];
  const latin1 = new Uint8Array([0x7b, 0x22, 0x6e, 0x22, 0x3a, 0x22, 0xe9, 0x22, 0x7d]);
  for (const { operationId } of withBody) {
    for (const text of [...texts, latin1]) {
      const answer = await send(stage, operationId, text);
      assert.deepEqual([answer.status, answer.json.code], [400, 'malformed_body'], operationId);
      assert.doesNotMatch(answer.text, /canary|position|token/i);
    }
  }
});

test('a body of another type is 415, and so is one of none', async (t) => {
  const stage = await startStage(t);
  for (const { operationId, method } of withBody) {
    const { path = '', sent } = samples(stage)[operationId] ?? {};
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      '',
    ]) {
      const headers = { ...sent?.headers, 'Content-Type': type };
      const answer = await stage.ask(method, path, stage.root.identity, { text: '{}', headers });
      assert.deepEqual(
        [answer.status, answer.json.code],
        [415, 'unsupported_type'],
        `${operationId} ${type}`,
      );
    }
  }
});

test('a body of more than 64 KiB is 413, whether it says so or not', async (t) => {
  const stage = await startStage(t);
  const text = JSON.stringify({ name: 'x'.repeat(70_000), scopes: ['*'] });
  assert.equal((await send(stage, 'makeToken', text)).json.code, 'body_too_large');
  assert.equal(await sendInChunks(stage, text), 413);
  assert.equal(await sendInChunks(stage, JSON.stringify({ name: 'x', scopes: ['*'] })), 201);
});

function sendInChunks({ url, root }: Stage, text: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { ...root.identity, 'Content-Type': 'application/json', 'Transfer-Encoding': 'chunked' };
    const sending = request(`${url}/.latchkey/api/v1/tokens`, { method: 'POST', headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sending.on('error', reject);
    sending.write(text.slice(0, 10));
    sending.end(text.slice(10));
  });
}

test('what is no object, nested without end, or named to confuse does nothing', async (t) => {
  const stage = await startStage(t);
  for (const text of ['[]', '1', '"x"', 'null', 'true', `${'['.repeat(30_000)}${']'.repeat(30_000)}`]) {
    for (const { operationId } of withBody) {
      const answer = await send(stage, operationId, text);
      assert.deepEqual(
        [answer.status, answer.json.code],
        [422, 'bad_fields'],
        `${operationId} ${text.slice(0, 9)}`,
      );
    }
  }
  const polluting =
    '{"name":"x","scopes":["*"],"__proto__":{"enabled":false},"constructor":{"prototype":{}}}';
  const answer = await send(stage, 'makeToken', polluting);
  assert.equal(answer.status, 422);
  assert.deepEqual(
    answer.json.errors.map(({ pointer }) => pointer),
    ['/__proto__', '/constructor'],
  );
  assert.equal(({} as { enabled?: unknown }).enabled, undefined);
  const twice = await send(stage, 'makeToken', '{"name":"one","name":"two","scopes":["*"]}');
  assert.deepEqual([twice.status, twice.json.token.name], [201, 'two']);
});

test('all problems of a body are told at once, each by its pointer, unknown fields by name', async (t) => {
  const stage = await startStage(t);
  const body = {
    scopes: ['*', 'canary-scope', 7],
    expiresAt: 'canary-time',
    slidingSeconds: 0.5,
    networks: ['canary-network', '192.0.2.0/24'],
    owner: 'canary-owner',
    'a/b~c': 'canary-value',
  };
  const answer = await stage.ask('POST', '/v1/tokens', stage.fullKey, { json: body });
  assert.equal(answer.status, 422);
  assert.deepEqual(
    answer.json.errors.map(({ pointer }) => pointer).toSorted((a, b) => (String(a) < String(b) ? -1 : 1)),
    ['/a~1b~0c', '/expiresAt', '/name', '/networks/0', '/owner', '/scopes/1', '/scopes/2', '/slidingSeconds'],
  );
  assert.doesNotMatch(answer.text, /canary/);
});

test('no value of a body comes back in a refusal', async (t) => {
  const stage = await startStage(t);
  const canary = 'canary-9f2c';
  const bodies: Readonly<Record<string, object>> = {
    makeToken: { name: `${canary}\u0007`, scopes: ['*'] },
    editToken: { scopes: [canary] },
    copyToken: { networks: [canary] },
    regenerateToken: { expiresAt: canary },
    revokeTokens: { ids: [canary] },
    makeUser: { name: `${canary}/x`, password: canary },
    changeUser: { email: `${canary} ${canary}` },
    confirm: { password: canary },
    changeOwnPassword: { current: canary, password: canary },
    changeOwnLanguage: { language: canary },
    replacePolicy: { scopes: [canary], lifeSecondsMax: canary },
  };
  for (const { operationId } of withBody) {
    const answer = await send(stage, operationId, JSON.stringify(bodies[operationId]));
    assert.ok(answer.status >= 400 && answer.status < 500, `${operationId} ${answer.text}`);
    assert.doesNotMatch(answer.text, new RegExp(canary), operationId);
  }
});

test('parameters that are unknown, doubled or out of range are 400, each by its name', async (t) => {
  const stage = await startStage(t);
  const wrong: readonly (readonly [string, string])[] = [
    ['/v1/tokens?canary=1', 'canary'],
    ['/v1/tokens?limit=0', 'limit'],
    ['/v1/tokens?limit=201', 'limit'],
    ['/v1/tokens?limit=1e2', 'limit'],
    ['/v1/tokens?limit=5&limit=6', 'limit'],
    ['/v1/tokens?state=canary-value', 'state'],
    ['/v1/tokens?order=canary-value', 'order'],
    ['/v1/tokens?user=canary-value', 'user'],
    ['/v1/tokens?user=me', 'user'],
    ['/v1/tokens?__proto__=1', '__proto__'],
    ['/v1/users?role=canary-value', 'role'],
    ['/v1/users?shutOut=canary-value', 'shutOut'],
    ['/v1/audit?from=canary-value', 'from'],
    ['/v1/audit?user=me', 'user'],
    ['/v1/audit/export?limit=5', 'limit'],
  ];
  for (const [path, parameter] of wrong) {
    const answer = await stage.ask('GET', path, stage.fullKey);
    assert.deepEqual([answer.status, answer.json.code], [400, 'bad_parameters'], path);
    assert.deepEqual(
      answer.json.errors.map((error) => error['parameter']),
      [parameter],
      path,
    );
    assert.doesNotMatch(answer.text, /canary-value/);
  }
});
