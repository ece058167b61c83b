import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { configJsonSchema, flatten, type JsonSchema } from '../../../src/config/json-schema.ts';
import { nearestName } from '../../../src/config/nearest-name.ts';
import { load, loaded, oneRoute } from './in-memory-sources.ts';

const keys = [...new Set(collectKeys(configJsonSchema))];

function collectKeys(schema: JsonSchema): readonly string[] {
  return flatten(schema).flatMap((choice) => [
    ...Object.entries(choice.properties ?? {}).flatMap(([key, child]) => [key, ...collectKeys(child)]),
    ...(choice.items ? collectKeys(choice.items) : []),
  ]);
}

/** Data that resembles a configuration closely enough to reach every check. */
const lookalike = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constantFrom(
      'http://127.0.0.1',
      'basic',
      '/dav/',
      'redis://r',
      'sqlite:./x',
      '30s',
      'none',
      '{user}',
      '__proto__',
    ),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
  ),
  map: fc.dictionary(
    fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...keys) }, fc.string({ maxLength: 8 })),
    tie('any'),
    { maxKeys: 5 },
  ),
  any: fc.oneof({ depthSize: 'small' }, tie('leaf'), tie('map'), fc.array(tie('any'), { maxLength: 3 })),
}));

const pieces = fc.constantFrom(
  ...Array.from('{}[]:-,&*!|>\'"%@`#?~ \n\t'),
  '<<: ',
  '- ',
  ': ',
  '&a ',
  '*a ',
  '---\n',
  ...keys,
);

function neverThrows(yaml: string): void {
  const result = load({ yaml, env: { SECRET: 'x'.repeat(40) } });
  assert.ok(result.kind === 'loaded' || result.problems.length > 0);
}

test('any text is a configuration or a list of problems, never an exception', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), neverThrows), { numRuns: 300 });
  const tokens = fc.array(pieces, { maxLength: 30 }).map((parts) => parts.join(''));
  fc.assert(fc.property(tokens, neverThrows), { numRuns: 500 });
});

test('anything that resembles a configuration is one or a list of problems, never an exception', () => {
  fc.assert(
    fc.property(lookalike.map, (value) => neverThrows(stringify(value))),
    { numRuns: 500 },
  );
});

test('nesting deeper than any stack is a problem, not an exception', () => {
  neverThrows('['.repeat(100_000));
  neverThrows('{a: '.repeat(20_000));
  neverThrows(`${'- '.repeat(20_000)}x`);
});

test('keys that name parts of the language are plain unknown keys', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    assert.equal(load({ yaml: `backend: http://a\n${name}: { listen: { port: 1 } }` }).kind, 'invalid', name);
    assert.equal(
      load({ yaml: oneRoute(`nodes: { ${name}: { template: "/{node}/" } }`) }).kind,
      'invalid',
      name,
    );
  }
});

test('any valid port and level given in the environment is what the configuration holds', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 65535 }), fc.constantFrom('debug', 'info'), (port, level) => {
      fc.pre(port !== 8081);
      const env = {
        LATCHKEY_LISTEN_PORT: String(port),
        LATCHKEY_LOG_LEVEL: level,
        LATCHKEY_BACKEND: 'http://a',
      };
      const { config } = loaded({ env });
      assert.deepEqual([config.listen.port, config.log.level], [port, level]);
    }),
    { numRuns: 50 },
  );
});

test('a name with one letter wrong, missing, doubled or swapped finds its way back', () => {
  const variants = (name: string): readonly string[] => [
    `${name.slice(0, 2)}${name.slice(3)}`,
    `${name.slice(0, 2)}${name.slice(1)}`,
    `${name.slice(0, 2)}x${name.slice(3)}`,
    `${name.slice(0, 1)}${name[2]}${name[1]}${name.slice(3)}`,
    name.toUpperCase(),
  ];
  const top = Object.keys(configJsonSchema.properties ?? {});
  for (const name of top)
    for (const variant of variants(name)) assert.equal(nearestName(variant, top), name, variant);
  assert.equal(nearestName('completelyElse', top), null);
});
