import { existsSync } from 'node:fs';
import { startRedis } from '../../test/support/redis-server.ts';
import { makeScratch, type Scratch } from '../../test/support/scratch.ts';
import { writeConfig } from '../gateway.ts';
import { runMeasured } from '../measured-program.ts';
import { readConfig, seedTokens, writeTokens } from '../seed.ts';
import { storeTokens } from '../sizes.ts';
import { atLeast, atMost, plain, type Row, skipped } from '../table.ts';

const perSecondMin = 10_000;
const p99MsMax = 1;
/** Each is verified once a pass. */
const verified = 60_000;
/** Fewer for Redis: leaving them there first shall be over before uses begin to be written. */
const verifiedByRedis = 15_000;

interface Slices {
  readonly slices: readonly { readonly perSecond: number; readonly p99Ms: number }[];
}

/** Verification of tokens that this process has never seen, among a million: by SQLite, and by Redis. */
export async function coldVerification(): Promise<readonly Row[]> {
  const scratch = await makeScratch('bench-cold');
  try {
    const files = await writeConfig(scratch, 'cold', 9);
    const tokensFile = scratch.file('tokens');
    const tokens = await seedTokens(readConfig(files.configFile), storeTokens, verified);
    writeTokens(tokensFile, tokens);
    const fromStore = await runMeasured<Slices>('cold-verification', [files.configFile, tokensFile, 'store']);
    return [...rowsOf('SQLite', fromStore), ...(await fromRedis(scratch, tokens.slice(0, verifiedByRedis)))];
  } finally {
    await scratch.remove();
  }
}

async function fromRedis(scratch: Scratch, tokens: readonly string[]): Promise<readonly Row[]> {
  if (!existsSync('/usr/bin/redis-server')) return [skipped('cold verification, Redis', 'no redis-server')];
  const tokensFile = scratch.file('redis-tokens');
  writeTokens(tokensFile, tokens);
  const found = await measureByRedis(scratch, tokensFile, 8);
  // One at a time nothing waits for anything but Redis itself.
  const alone = await measureByRedis(scratch, tokensFile, 1);
  const aloneMs = Math.min(...alone.slices.map((slice) => slice.p99Ms));
  return [...rowsOf('Redis', found), plain('cold verification by Redis, one at a time: p99', aloneMs, ' ms')];
}

/** With a Redis of its own each time: the program's first pass has to find it empty. */
async function measureByRedis(scratch: Scratch, tokensFile: string, atOnce: number): Promise<Slices> {
  const redis = await startRedis();
  try {
    const dataDir = scratch.file('cold-data');
    const stored = { store: `sqlite:${scratch.file('cold-data', 'latchkey.db')}`, dataDir };
    const files = await writeConfig(scratch, `cold-redis-${atOnce}`, 9, { ...stored, redis: redis.url });
    const args = [files.configFile, tokensFile, 'redis', String(atOnce)];
    return await runMeasured<Slices>('cold-verification', args);
  } finally {
    await redis.stop();
  }
}

/** The least disturbed slice, as everywhere. */
function rowsOf(tier: string, { slices }: Slices): readonly Row[] {
  const perSecond = Math.max(...slices.map((slice) => slice.perSecond));
  const p99Ms = Math.min(...slices.map((slice) => slice.p99Ms));
  const worstMs = Math.max(...slices.map((slice) => slice.p99Ms));
  const title = `cold verification by ${tier}, ${storeTokens.toLocaleString('en')} tokens`;
  return [
    atLeast(`${title}: rate on one core`, perSecond, perSecondMin, '/s'),
    {
      ...atMost(`${title}: p99`, p99Ms, p99MsMax, ' ms'),
      figure: `${p99Ms.toFixed(2)} ms (worst ${worstMs.toFixed(2)})`,
    },
  ];
}
