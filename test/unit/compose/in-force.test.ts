import assert from 'node:assert/strict';
import { test } from 'node:test';
import { putInForce } from '../../../src/compose/in-force.ts';
import type { Routing } from '../../../src/compose/routing.ts';
import { loaded } from '../config/in-memory-sources.ts';

const backend = 'backend: http://127.0.0.1:8008\n';

function needRestart(first: string, next: string): readonly string[] {
  const inForce = putInForce(loaded({ yaml: backend + first }).config, () => ({}) as Routing);
  return inForce.replace(loaded({ yaml: backend + next }).config);
}

test('a reload names what needs a restart by the keys of the file, and nothing that it has applied', () => {
  const next = [
    'listen: { port: 9000 }',
    'limits: { drain: 5s, spool: 1GiB, failuresPerAccount: 4, idle: 3s, requestsPerToken: 2, connections: 50, connectionsPerClient: 20 }',
    'audit: { keep: 30d }',
    'log: { level: debug }',
    'store: sqlite:/srv/other.db',
  ].join('\n');
  assert.deepEqual(needRestart('', next).toSorted(), [
    'audit.keep',
    'limits.drain',
    'limits.failuresPerAccount',
    'limits.spool',
    'listen.port',
    'log.level',
    'store',
  ]);
});

test('a reload whose changes are all in force names nothing', () => {
  assert.deepEqual(needRestart('', 'limits: { head: 2s, bodyRateMin: 0 }\ntrustedProxies: [10.0.0.1]'), []);
});
