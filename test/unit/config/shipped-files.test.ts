import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configJsonSchema, flatten, type JsonSchema } from '../../../src/config/json-schema.ts';
import { loaded } from './in-memory-sources.ts';

const folder = new URL('../../../config/', import.meta.url);
const example = readFileSync(new URL('latchkey.example.yaml', folder), 'utf8');

test('config/latchkey.schema.json is what `config schema` prints', () => {
  const shipped: unknown = JSON.parse(readFileSync(new URL('latchkey.schema.json', folder), 'utf8'));
  assert.deepEqual(shipped, configJsonSchema);
});

test('config/latchkey.example.yaml loads as it stands', () => {
  const { config } = loaded({ yaml: example });
  assert.deepEqual(
    config.routes.map(({ name }) => name),
    ['files', 'calendar'],
  );
});

test('the limits of the example are the defaults, which its comments promise', () => {
  const { limits } = loaded({ yaml: 'backend: http://a' }).config;
  assert.deepEqual(loaded({ yaml: example }).config.limits, limits);
});

test('config/latchkey.example.yaml shows every key', () => {
  const missing = allKeys(configJsonSchema).filter(
    (name) => !new RegExp(`[\\s{]${name}: `).test(` ${example} `) && !new RegExp(`${name}:\\n`).test(example),
  );
  assert.deepEqual(missing, []);
});

test('every key of the JSON Schema says what it is for', () => {
  const silent: string[] = [];
  const walk = (schema: JsonSchema, path: string): void => {
    for (const choice of flatten(schema)) {
      for (const [key, child] of Object.entries(choice.properties ?? {})) {
        const described = child.description ?? flatten(child).find((each) => each.description)?.description;
        if (described === undefined) silent.push(`${path}${key}`);
        walk(child, `${path}${key}.`);
      }
      if (choice.items) walk(choice.items, path);
    }
  };
  walk(configJsonSchema, '');
  assert.deepEqual(silent, []);
});

function allKeys(schema: JsonSchema): readonly string[] {
  const names = flatten(schema).flatMap((choice) => [
    ...Object.entries(choice.properties ?? {}).flatMap(([key, child]) => [key, ...allKeys(child)]),
    ...(choice.items ? allKeys(choice.items) : []),
  ]);
  return [...new Set(names)];
}
