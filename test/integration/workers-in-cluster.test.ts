import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startWorkers } from '../../src/compose/workers.ts';
import { makeScratch } from '../support/scratch.ts';
import { connectToEach } from '../support/worker-connections.ts';
import { childrenOf } from '../support/worker-pids.ts';
import { loaded } from '../unit/config/in-memory-sources.ts';

test('where sockets cannot share a port, the first process accepts connections for its workers', async () => {
  const scratch = await makeScratch('workers-in-cluster');
  const yaml = JSON.stringify({
    workers: 2,
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    dataDir: scratch.file('data'),
    backend: 'http://127.0.0.1:1',
    log: { access: false },
  });
  const program = {
    file: fileURLToPath(new URL('../../src/main.ts', import.meta.url)),
    args: ['serve', '--worker'],
  };
  const workers = await startWorkers(loaded({ yaml }).config, {
    logStream: new PassThrough().resume(),
    program,
    sharePorts: false,
  });
  try {
    assert.notEqual(workers.port, 0);
    for (const { connection } of await connectToEach(workers, 2)) connection.destroy();
    assert.equal(childrenOf(process.pid).length, 2);
  } finally {
    await workers.drain();
    await scratch.remove();
  }
  assert.equal(childrenOf(process.pid).length, 0);
});
