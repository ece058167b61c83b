import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { sendSignal } from '../support/hosts/send-signal.ts';

test('a signal to a process that has just ended is no error, one that cannot be sent is', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  sendSignal(child.pid ?? assert.fail(), 'SIGKILL');
  assert.throws(() => sendSignal(process.pid, 'SIGNONE' as NodeJS.Signals), { code: 'ERR_UNKNOWN_SIGNAL' });
});
