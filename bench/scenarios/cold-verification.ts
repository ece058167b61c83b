import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { run } from '../../test/support/child-process.ts';
import { requirePostgres, startPostgres } from '../../test/support/postgres.ts';
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
/** Fewer where they come from another process: no use shall be written before all are verified. */
const verifiedElsewhere = 15_000;
/** Fewer still where each waits for the one before. */
const verifiedAlone = 5_000;

interface Slices {
  readonly slices: readonly { readonly perSecond: number; readonly p99Ms: number }[];
}

/** Verification of tokens that this process has never seen, among a million: by SQLite, by Redis and by PostgreSQL. */
export async function coldVerification(): Promise<readonly Row[]> {
  const scratch = await makeScratch('bench-cold');
  try {
    const files = await writeConfig(scratch, 'cold', 9);
    const tokensFile = scratch.file('tokens');
    const tokens = await seedTokens(readConfig(files.configFile), storeTokens, verified);
    writeTokens(tokensFile, tokens);
    const fromStore = await runMeasured<Slices>('cold-verification', [files.configFile, tokensFile, 'store']);
    const fewer = tokens.slice(0, verifiedElsewhere);
    return [
      ...rowsOf('SQLite', fromStore),
      ...(await fromRedis(scratch, fewer)),
      ...(await fromPostgres(scratch, files.configFile, fewer)),
    ];
  } finally {
    await scratch.remove();
  }
}

async function fromRedis(scratch: Scratch, tokens: readonly string[]): Promise<readonly Row[]> {
  if (!existsSync('/usr/bin/redis-server')) return [skipped('cold verification, Redis', 'no redis-server')];
  const found = await measureByRedis(scratch, tokens, 8);
  // One at a time nothing waits for anything but Redis itself.
  const alone = await measureByRedis(scratch, tokens.slice(0, verifiedAlone), 1);
  return [...rowsOf('Redis', found), aloneRow('Redis', alone)];
}

/** With a Redis of its own each time: the program's first pass has to find it empty. */
async function measureByRedis(scratch: Scratch, tokens: readonly string[], atOnce: number): Promise<Slices> {
  const redis = await startRedis();
  try {
    const tokensFile = scratch.file(`redis-tokens-${atOnce}`);
    writeTokens(tokensFile, tokens);
    const dataDir = scratch.file('cold-data');
    const stored = { store: `sqlite:${scratch.file('cold-data', 'latchkey.db')}`, dataDir };
    const files = await writeConfig(scratch, `cold-redis-${atOnce}`, 9, { ...stored, redis: redis.url });
    const args = [files.configFile, tokensFile, 'redis', String(atOnce)];
    return await runMeasured<Slices>('cold-verification', args);
  } finally {
    await redis.stop();
  }
}

/** The same million, moved there by `latchkey store copy`. */
async function fromPostgres(
  scratch: Scratch,
  source: string,
  tokens: readonly string[],
): Promise<readonly Row[]> {
  const { skip } = requirePostgres();
  if (skip !== false) return [skipped('cold verification, PostgreSQL', skip)];
  const postgres = await startPostgres();
  try {
    const database = await postgres.createDatabase();
    const store = postgres.url(database);
    const dataDir = scratch.file('cold-data');
    const { configFile } = await writeConfig(scratch, 'cold-postgres', 9, { store, dataDir });
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const args = [main, 'store', 'copy', source, configFile];
    const copied = await run({ label: 'store copy', command: process.execPath, args, cwd: scratch.path });
    if (copied.code !== 0) throw new Error(`store copy: ${copied.stderr}`);
    await postgres.sql(database, 'VACUUM ANALYZE');
    const measure = (some: readonly string[], atOnce: number): Promise<Slices> => {
      const tokensFile = scratch.file(`postgres-tokens-${atOnce}`);
      writeTokens(tokensFile, some);
      return runMeasured<Slices>('cold-verification', [configFile, tokensFile, 'store', String(atOnce)]);
    };
    const found = await measure(tokens, 8);
    const alone = await measure(tokens.slice(0, verifiedAlone), 1);
    // Nothing was promised of what another process looks up.
    const rows = rowsOf('PostgreSQL', found).map((row) => ({ ...row, budget: null, met: null }));
    return [...rows, aloneRow('PostgreSQL', alone)];
  } finally {
    await postgres.stop();
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

function aloneRow(tier: string, { slices }: Slices): Row {
  const p99Ms = Math.min(...slices.map((slice) => slice.p99Ms));
  return plain(`cold verification by ${tier}, one at a time: p99`, p99Ms, ' ms');
}
