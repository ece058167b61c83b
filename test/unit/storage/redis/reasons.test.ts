import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasonOf } from '../../../../src/storage/redis/reasons.ts';
import { redisConfig } from '../../../support/redis-server.ts';

const config = redisConfig(['127.0.0.1:6379'], { password: 'hunter2' });

for (const [said, expected] of [
  ['ERR This instance has cluster support disabled', /disabled; this is no Cluster: correct redis\.mode/],
  ['MOVED 3999 127.0.0.1:6381', /; this is one of a Cluster: set redis\.mode to cluster$/],
  [
    "All sentinels are unreachable. Last error: ERR unknown command 'sentinel', with args beginning with: 'get' ",
    /'get'; this is no Sentinel: correct redis\.mode or redis\.nodes$/,
  ],
  [
    'ERR Only HELLO messages are accepted by Sentinel instances.',
    /instances; this is a Sentinel: set redis\.mode/,
  ],
  ['NOAUTH Authentication required.', /required; give redis\.password/],
  [
    'WRONGPASS invalid username-password pair or user is disabled.',
    /; correct redis\.username and redis\.password$/,
  ],
  [
    "NOPERM User x has no permissions to run the 'eval' command",
    /; let redis\.username do that: docs\/scale-out/,
  ],
] as const) {
  test(`Redis that says "${said.slice(0, 40)}…" is told with the key to correct`, () => {
    assert.match(reasonOf(config, new Error(said)), expected);
  });
}

test('what else Redis says is told as it is, without a password', () => {
  assert.equal(reasonOf(config, new Error('no hunter2 here.')), 'no [redacted] here.');
});
