/*
 * Refuses every credential of a file by `decide()`: first as it is new, then again from memory. Prints
 * [{"kind":…,"cold":[ns …],"warm":[ns …]} …]. Usage: refusals.ts CONFIG KINDS counted|uncounted
 */
import { readFileSync } from 'node:fs';
import { createRouting } from '../../src/compose/routing.ts';
import { systemClock } from '../../src/core/clock.ts';
import { decide } from '../../src/gateway/decide.ts';
import { openVerifier } from '../opened.ts';
import type { RefusedKind } from '../refused.ts';
import { readConfig, scopedPath } from '../seed.ts';

const [configFile = '', kindsFile = '', counting = ''] = process.argv.slice(2);
const config = readConfig(configFile);
const kinds = JSON.parse(readFileSync(kindsFile, 'utf8')) as readonly RefusedKind[];
const { verifier, guesses, freshness, close } = await openVerifier(config);
const routing = createRouting(config, systemClock, () => undefined);
const deps = { ...routing, verifier, guesses, hasOwnPages: () => true };
const samples = kinds.map(({ kind }) => ({ kind, cold: [] as number[], warm: [] as number[] }));

async function refuse(kind: number, round: number): Promise<number> {
  const [user = '', secret = ''] = kinds[kind]?.credentials[round] ?? [];
  const authorization = `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
  const inbound = {
    method: 'GET',
    target: scopedPath,
    rawHeaders: ['Host', '127.0.0.1:8080', 'Authorization', authorization, 'User-Agent', 'bench'],
    exactLine: true,
    httpVersion: '1.1',
    // One client alone soon has as many counted as can be.
    peerAddress: counting === 'counted' ? `10.${kind}.${round >> 8}.${round & 255}` : '10.0.0.1',
    tls: false,
    readBody: () => Promise.resolve(null),
  };
  const startedNs = process.hrtime.bigint();
  const pending = decide(inbound, deps);
  const decision = pending instanceof Promise ? await pending : pending;
  const tookNs = Number(process.hrtime.bigint() - startedNs);
  if (decision.kind !== 'refuse') throw new Error(`${kinds[kind]?.kind ?? ''} was not refused`);
  return tookNs;
}

for (let round = 0; round < (kinds[0]?.credentials.length ?? 0); round++) {
  // Requests come in turns of the event loop, and not as long as no change feed is heard.
  do await new Promise(setImmediate);
  while (!freshness.isFresh());
  for (const pass of ['cold', 'warm'] as const) {
    const order = kinds.map((_, at) => at).toSorted(() => Math.random() - 0.5);
    for (const kind of order) samples[kind]?.[pass].push(await refuse(kind, round));
  }
}
await routing.close();
await close();
console.log(JSON.stringify(samples));
