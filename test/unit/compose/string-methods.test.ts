import assert from 'node:assert/strict';
import { test } from 'node:test';
import v8 from 'node:v8';
import vm from 'node:vm';
import { keepStringMethodsFast } from '../../../src/compose/string-methods.ts';

v8.setFlagsFromString('--allow-natives-syntax');
const areFast = vm.runInThisContext('() => %HasFastProperties(String.prototype)') as () => boolean;

test('a package that derives a class from String does not slow every string method down', async () => {
  await import('ioredis');
  assert.equal(areFast(), false, 'ioredis still does; where it does not, nothing needs to be kept fast');
  keepStringMethodsFast();
  assert.equal(areFast(), true);
});

test('string methods stay fast whatever is derived from String later', () => {
  keepStringMethodsFast();
  class Derived extends String {}
  assert.equal(String(new Derived('text')), 'text');
  assert.equal(areFast(), true);
});
