import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toFault } from '../../../src/gateway/backend-fault.ts';

for (const code of [
  'ENOENT',
  'ECONNREFUSED',
  'EACCES',
  'EPERM',
  'ENOTDIR',
  'ELOOP',
  'EPROTOTYPE',
  'EAGAIN',
]) {
  test(`a socket that cannot be connected to (${code}) is a backend that cannot be reached`, () => {
    const fault = toFault(Object.assign(new Error(code), { code }), 'unix:/run/a.sock');
    assert.deepEqual([fault.code, fault.message], ['backend_unreachable', `unix:/run/a.sock: ${code}`]);
  });
}
