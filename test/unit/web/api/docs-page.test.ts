import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemKinds } from '../../../../src/web/api/problem-kinds.ts';
import { startApi } from './api-world.ts';
import { operationsIn, readDocument } from './document.ts';

test('the page tells everything of the document, without scripts, inline code or outside requests', async (t) => {
  const api = await startApi(t);
  const document = await readDocument();
  const page = await api.ask('GET', '/docs');
  assert.equal(page.status, 200);
  assert.equal(page.headers.get('content-type'), 'text/html; charset=UTF-8');
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.doesNotMatch(page.text, /<script|<style|\sstyle=|\son\w+=|https?:\/\//);
  for (const { operationId, path } of operationsIn(document)) {
    assert.ok(page.text.includes(` id="${operationId}"`), operationId);
    assert.ok(page.text.includes(`<code>/.latchkey/api${path}</code>`), path);
  }
  for (const name of Object.keys(document.components.schemas)) {
    assert.ok(page.text.includes(` id="schema-${name}"`), name);
  }
  for (const code of Object.keys(problemKinds)) assert.ok(page.text.includes(` id="problem-${code}"`), code);
});

test('its links lead somewhere, its ids are unique, its headings go down step by step', async (t) => {
  const api = await startApi(t);
  const { text } = await api.ask('GET', '/docs');
  const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const [, id] of text.matchAll(/href="#([^"]+)"/g)) assert.ok(ids.includes(id), id);
  for (const [, id] of text.matchAll(/aria-labelledby="([^"]+)"/g)) assert.ok(ids.includes(id), id);
  const levels = [...text.matchAll(/<h(\d)/g)].map(([, level]) => Number(level));
  assert.equal(levels.filter((level) => level === 1).length, 1);
  for (const [at, level] of levels.entries()) assert.ok(level <= (levels[at - 1] ?? 0) + 1, `heading ${at}`);
});

test('its style sheet is kept by browsers under a name of its content', async (t) => {
  const api = await startApi(t);
  const { text } = await api.ask('GET', '/docs');
  const [, address = ''] = /<link rel="stylesheet" href="\/\.latchkey\/api([^"]+)"/.exec(text) ?? [];
  const style = await api.ask('GET', address);
  assert.deepEqual([style.status, style.headers.get('content-type')], [200, 'text/css; charset=utf-8']);
  assert.match(style.headers.get('cache-control') ?? '', /immutable/);
  assert.doesNotMatch(style.text, /url\(|@import/);
});

test('document and page are there for everybody, and tell nothing of this gateway', async (t) => {
  const api = await startApi(t);
  const served = await api.ask('GET', '/openapi.json');
  assert.deepEqual(served.json, await readDocument());
  assert.equal(served.headers.get('cache-control'), 'no-store');
  assert.equal((await api.ask('GET', '/docs', { Authorization: 'Bearer lk_wrong' })).status, 200);
});
