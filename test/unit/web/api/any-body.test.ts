import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { operationsIn, readDocument } from './document.ts';
import { samples, startStage } from './stage.ts';

const operations = operationsIn(await readDocument());
const withBody = operations.filter(({ requestBody }) => requestBody !== undefined);
const withQuery = operations.filter(({ parameters }) => parameters?.some((each) => each.in === 'query'));

test('whatever JSON comes, in a body or in place of one of its fields, nothing of ours breaks', async (t) => {
  const stage = await startStage(t);
  const cases = fc.record({
    operation: fc.constantFrom(...withBody),
    value: fc.jsonValue({ maxDepth: 3 }),
    field: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ operation, value, field }) => {
      const { path = '', sent } = samples(stage)[operation.operationId] ?? {};
      const whole = Object.entries(sent?.json ?? {});
      const [name] = whole[field % (whole.length + 1)] ?? [];
      const json = name === undefined ? value : { ...Object.fromEntries(whole), [name]: value };
      const headers = sent?.headers ?? {};
      const answer = await stage.ask(operation.method, path, stage.root.identity, { json, headers });
      assert.ok(answer.status < 500, `${operation.operationId}: ${answer.text}`);
    }),
    { numRuns: 100 },
  );
  assert.deepEqual(stage.siteFaults, []);
});

test('whatever stands in a query, nothing of ours breaks', async (t) => {
  const stage = await startStage(t);
  const cases = fc.record({
    operation: fc.constantFrom(...withQuery),
    value: fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', '0', '-1', '%', 'true', 'null')),
    place: fc.nat(),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ operation, value, place }) => {
      const { path = '', as } = samples(stage)[operation.operationId] ?? {};
      const names = (operation.parameters ?? [])
        .filter((each) => each.in === 'query')
        .map(({ name }) => name);
      const name = names[place % names.length] ?? '';
      const query = new URLSearchParams({ [name]: value.toWellFormed() });
      const identity = as === undefined ? stage.root.identity : stage[as === 'token' ? 'root' : as].identity;
      const [bare = ''] = path.split('?');
      const method = operation.method === 'DELETE' ? 'HEAD' : operation.method;
      const answer = await stage.ask(method, `${bare}?${query.toString()}`, identity);
      assert.ok(answer.status < 500, `${operation.operationId} ${name}: ${answer.text}`);
    }),
    { numRuns: 60 },
  );
});
