/*
 * Verifies every token once, with nothing in memory. With Redis configured a first pass leaves the tokens there and
 * the second is measured. Prints {"slices":[{"perSecond":…,"p99Ms":…}]}. Usage: cold-verification.ts CONFIG TOKENS TIER [AT-ONCE]
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openVerifier } from '../opened.ts';
import { readConfig, readTokens, userName } from '../seed.ts';

const [configFile = '', tokensFile = '', tier = '', atOnce = '8'] = process.argv.slice(2);
/** As many requests wait for their answer at any time. */
const inFlight = Number(atOnce);
const sliceTokens = 5_000;
const config = readConfig(configFile);
const tokens = readTokens(tokensFile);
const context = { clientAddress: '127.0.0.1', client: 'rclone/v1.60.1', mainPassword: false };

if (config.redis !== null) await pass('store');
console.log(JSON.stringify({ slices: await pass(tier) }));

async function pass(
  expectedTier: string,
): Promise<readonly { readonly perSecond: number; readonly p99Ms: number }[]> {
  const { verifier, close } = await openVerifier(config);
  const slices = [];
  for (let from = 0; from < tokens.length; from += sliceTokens) {
    const slice = tokens.slice(from, from + sliceTokens);
    const latencies = new Float64Array(slice.length);
    let next = 0;
    const work = async (): Promise<void> => {
      while (next < slice.length) {
        // As requests do, each comes with a turn of the event loop.
        await nextTurn();
        const at = next++;
        if (at >= slice.length) return;
        const startedMs = performance.now();
        const verdict = await verifier.verify(
          { channel: 'basic', user: userName, secret: slice[at] ?? '' },
          context,
        );
        latencies[at] = performance.now() - startedMs;
        if (verdict.kind !== 'verified' || verdict.tier !== expectedTier) {
          throw new Error(`expected the tier ${expectedTier}, got ${JSON.stringify(verdict)}`);
        }
      }
    };
    const before = process.cpuUsage();
    await Promise.all(Array.from({ length: inFlight }, work));
    const { user, system } = process.cpuUsage(before);
    latencies.sort();
    const p99Ms = latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN;
    slices.push({ perSecond: slice.length / ((user + system) / 1e6), p99Ms });
  }
  await close();
  return slices;
}
