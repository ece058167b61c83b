/* `decide()` alone. Prints {"decisionUs":…}. Usage: decision.ts CONFIG TOKENS */
import assert from 'node:assert/strict';
import { createRouting } from '../../src/compose/routing.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Inbound } from '../../src/core/decision.ts';
import { decide } from '../../src/gateway/decide.ts';
import { openVerifier } from '../opened.ts';
import { clientHeaders } from '../peers.ts';
import { readConfig, readTokens, scopedPath } from '../seed.ts';

const [configFile = '', tokensFile = ''] = process.argv.slice(2);
/** Few enough for some rounds to be undisturbed, enough for each to hold collections of garbage. */
const callsAtOnce = 20_000;
const config = readConfig(configFile);
const { verifier, guesses, close } = await openVerifier(config);
const routing = createRouting(config, systemClock, () => undefined);
const deps = { ...routing, verifier, guesses, hasOwnPages: () => true };
const [token = ''] = readTokens(tokensFile);
const rawHeaders = ['Host', '127.0.0.1:8080', ...Object.entries(clientHeaders(token)).flat()];
const inbound: Inbound = {
  method: 'GET',
  target: scopedPath,
  rawHeaders,
  exactLine: true,
  httpVersion: '1.1',
  peerAddress: '127.0.0.1',
  tls: false,
  readBody: () => Promise.resolve(null),
};

assert.equal((await decide(inbound, deps)).kind, 'allow');
let decisionUs = Number.POSITIVE_INFINITY;
for (let round = 0; round < 75; round++) {
  // On a busy machine the token may have run out of memory meanwhile, or no change feed been heard.
  for (let first = decide(inbound, deps); first instanceof Promise; first = decide(inbound, deps)) {
    await first;
    await new Promise(setImmediate);
  }
  const before = process.cpuUsage();
  for (let call = 0; call < callsAtOnce; call++) {
    if (decide(inbound, deps) instanceof Promise) throw new Error('a cached decision needed a promise');
  }
  const { user, system } = process.cpuUsage(before);
  decisionUs = Math.min(decisionUs, (user + system) / callsAtOnce);
  await new Promise(setImmediate);
}
await routing.close();
await close();
console.log(JSON.stringify({ decisionUs }));
