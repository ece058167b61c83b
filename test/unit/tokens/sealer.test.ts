import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPeppers } from '../../../src/tokens/digest.ts';
import { createSealer } from '../../../src/tokens/sealer.ts';

const [first, second] = [
  { id: '2026a', secret: 'a pepper for tests' },
  { id: '2026b', secret: 'another pepper for tests' },
];

test('what is sealed is opened for its own purpose alone, and says nothing', () => {
  const sealer = createSealer(createPeppers([first]));
  const sealed = sealer.seal('grant', 'a refresh token');
  assert.equal(sealer.open('grant', sealed), 'a refresh token');
  assert.equal(sealer.open('draft', sealed), null);
  assert.doesNotMatch(Buffer.from(sealed.split('.')[1] ?? '', 'base64url').toString('latin1'), /refresh/);
  assert.notEqual(sealer.seal('grant', 'a refresh token'), sealed);
});

test('what was sealed under a former pepper is opened as long as that is known', () => {
  const sealed = createSealer(createPeppers([first])).seal('grant', 'text');
  assert.equal(createSealer(createPeppers([second, first])).open('grant', sealed), 'text');
  assert.equal(createSealer(createPeppers([second])).open('grant', sealed), null);
  const changed = { ...first, secret: 'a pepper of the same name' };
  assert.equal(createSealer(createPeppers([changed])).open('grant', sealed), null);
});

test('what was not sealed is not opened', () => {
  const sealer = createSealer(createPeppers([first]));
  const sealed = sealer.seal('grant', 'text');
  for (const text of [
    '',
    '.',
    '2026a',
    '2026a.',
    'x',
    `2026a.${'A'.repeat(60)}`,
    sealed.slice(0, -1),
    `${sealed}A`,
  ]) {
    assert.equal(sealer.open('grant', text), null, text);
  }
});
