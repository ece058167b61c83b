import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { basic, startGateway } from '../support/gateway.ts';
import { exchange } from '../support/raw-client.ts';

test('the log of a failed request names the route, the backend and the next step', async () => {
  const origin = `http://127.0.0.1:${await freePort()}`;
  const gateway = await startGateway({ backend: origin });
  try {
    await gateway.user('alice');
    const token = await gateway.token();
    const answer = await exchange(gateway.port, 'GET', '/', [`Authorization: ${basic('alice', token)}`]);
    assert.match(answer.startLine, / 502 /);
    const failures = () => gateway.logLines().filter((line) => line['msg'] === 'request failed');
    await eventually('the failure to be logged', () => failures().length > 0);
    const [{ time: _time, requestId, ...line } = {}] = failures();
    assert.ok(typeof requestId === 'string');
    assert.deepEqual(line, {
      level: 'warn',
      route: 'files',
      fault: 'backend_unreachable',
      reason: `${origin}: ECONNREFUSED`,
      cause: 'ECONNREFUSED',
      advice: '`latchkey doctor` looks at every backend',
      msg: 'request failed',
    });
  } finally {
    await gateway.stop();
  }
});
