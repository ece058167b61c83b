import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import { connectToEach, workerAt } from '../support/worker-connections.ts';
import { childrenOf } from '../support/worker-pids.ts';

test('a worker that does not answer any more is replaced, and the other serves meanwhile', async () => {
  const backend = await startRecordingBackend();
  const gateway = await startGateway({ backend: backend.url, config: { workers: 2 } });
  try {
    const connections = await connectToEach(gateway, 2);
    const [victim] = childrenOf(gateway.pid);
    assert.ok(victim);
    process.kill(victim, 'SIGSTOP');
    const answered = await Promise.any(
      connections.map(async ({ worker, connection }) => ({ worker, now: await workerAt(connection) })),
    );
    assert.equal(answered.now, answered.worker);
    await eventually('the end of the one that hangs', () => !childrenOf(gateway.pid).includes(victim), {
      withinMs: 60_000,
    });
    await eventually('its successor', async () => (await gateway.adminStatus('/readyz')) === 200, {
      withinMs: 60_000,
    });
    assert.equal(childrenOf(gateway.pid).length, 2);
    assert.equal(await gateway.metric('latchkey_workers_left_total', { reason: 'hung' }), 1);
    assert.equal(
      gateway.logLines().filter(({ msg }) => String(msg).includes('did not answer any more')).length,
      1,
    );
  } finally {
    await gateway.stop();
    await backend.close();
  }
});
