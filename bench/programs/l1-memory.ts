/* What entries in memory weigh. Prints {"heapBytes":…,"residentBytes":…}. Usage: l1-memory.ts CONFIG TOKENS, with --expose-gc */
import assert from 'node:assert/strict';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openVerifier } from '../opened.ts';
import { readConfig, readTokens, userName } from '../seed.ts';

const [configFile = '', tokensFile = ''] = process.argv.slice(2);
const config = readConfig(configFile);
const tokens = readTokens(tokensFile);
const context = { clientAddress: '127.0.0.1', client: 'rclone/v1.60.1', mainPassword: false };

// What is made once, compiled or grown for good, shall not count for the entries.
const rehearsal = await openVerifier(config);
for (const secret of tokens.slice(0, 5_000)) {
  await rehearsal.verifier.verify({ channel: 'basic', user: userName, secret }, context);
}
await rehearsal.close();
const before = weigh();
const { verifier, freshness, close } = await openVerifier(config);
for (const [at, secret] of tokens.entries()) {
  // Requests come in turns of the event loop; without turns no change feed would be heard.
  if (at % 64 === 0) await nextTurn();
  // A fresh copy, as each request brings one: the tokens read above shall not lend their memory.
  const copy = Buffer.from(secret, 'latin1').toString('latin1');
  await verifier.verify({ channel: 'basic', user: userName, secret: copy }, context);
}
const after = weigh();
// They were there while they were weighed, which takes longer than a change feed may be silent.
while (!freshness.isFresh()) await nextTurn();
for (const secret of [tokens[0] ?? '', tokens.at(-1) ?? '']) {
  const verdict = await verifier.verify({ channel: 'basic', user: userName, secret }, context);
  assert.equal(verdict.tier, 'l1');
}
await close();
console.log(
  JSON.stringify({ heapBytes: after.heap - before.heap, residentBytes: after.resident - before.resident }),
);

function weigh(): { readonly heap: number; readonly resident: number } {
  for (let turn = 0; turn < 3; turn++) globalThis.gc?.();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}
