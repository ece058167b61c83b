import { writeFileSync } from 'node:fs';
import { openRaw, type RawConnection } from '../../test/support/raw-client.ts';
import { makeScratch, type Scratch } from '../../test/support/scratch.ts';
import { howFarApart } from '../distributions.ts';
import { startGateway, writeConfig } from '../gateway.ts';
import { runMeasured } from '../measured-program.ts';
import { startBackend } from '../peers.ts';
import { seedRefused, seedRefusedPasswords, type RefusedKind } from '../refused.ts';
import { readConfig, scopedPath } from '../seed.ts';
import type { Row } from '../table.ts';

/** Credentials of each kind. */
const tokensEach = 2_000;
/** Each costs a hash of argon2id. */
const passwordsEach = 100;

/** How long a kind of refusal took, each credential's first time and its second. */
interface Samples {
  readonly kind: string;
  readonly cold: readonly number[];
  readonly warm: readonly number[];
}

/**
 * Which reasons for a refusal can be told apart. Throws where status, fields or body differ; by time they are told
 * apart where the distributions are further from each other (Kolmogorov-Smirnov) than chance has it in one of 1,000.
 */
export async function refusals(): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const counting of ['counted', 'uncounted']) {
    const samples = await inProcess(counting);
    rows.push(...rowsOf(`by decide(), guesses ${counting}`, samples, null));
  }
  const tokens = await overTheWire(seedRefused, tokensEach, {});
  rows.push(...rowsOf('of tokens over the wire', tokens, null));
  const passwords = await overTheWire(seedRefusedPasswords, passwordsEach, { mainPassword: 'allow' });
  rows.push(...rowsOf('of passwords over the wire', passwords, 'none'));
  return rows;
}

async function inProcess(counting: string): Promise<readonly Samples[]> {
  const scratch = await makeScratch('bench-refusals');
  try {
    const { configFile } = await writeConfig(scratch, 'refusals', 9);
    const kindsFile = scratch.file('kinds');
    const kinds = await seedRefused(readConfig(configFile), tokensEach);
    writeFileSync(kindsFile, JSON.stringify(kinds), { mode: 0o600 });
    return await runMeasured<readonly Samples[]>('refusals', [configFile, kindsFile, counting]);
  } finally {
    await scratch.remove();
  }
}

async function overTheWire(
  seed: typeof seedRefused,
  count: number,
  route: Readonly<Record<string, unknown>>,
): Promise<readonly Samples[]> {
  const scratch = await makeScratch('bench-refusals');
  const backend = await startBackend();
  try {
    const limits = { failuresPerAccount: 1_000, failuresPerClient: 1_000 };
    const files = await writeConfig(scratch, 'refusals', backend.port, { limits }, route);
    const kinds = await seed(readConfig(files.configFile), count);
    return await ask(scratch, files, kinds, count);
  } finally {
    await backend.child.stop();
    await scratch.remove();
  }
}

async function ask(
  scratch: Scratch,
  files: Awaited<ReturnType<typeof writeConfig>>,
  kinds: readonly RefusedKind[],
  count: number,
): Promise<readonly Samples[]> {
  const gateway = await startGateway(scratch, files);
  const samples = kinds.map(({ kind }) => ({ kind, cold: [] as number[], warm: [] as number[] }));
  const answers = new Set<string>();
  try {
    for (let round = 0; round < count; round++) {
      // Clients take turns too.
      const localAddress = `127.0.1.${1 + (round % 250)}`;
      const client = await openRaw(files.port, { localAddress });
      for (const pass of ['cold', 'warm'] as const) {
        for (const at of kinds.map((_, index) => index).toSorted(() => Math.random() - 0.5)) {
          const [user = '', secret = ''] = kinds[at]?.credentials[round] ?? [];
          const { tookNs, answer } = await oneRefusal(client, user, secret);
          samples[at]?.[pass].push(tookNs);
          answers.add(answer);
        }
      }
      client.destroy();
    }
  } finally {
    await gateway.stop();
  }
  if (answers.size !== 1) throw new Error(`refusals differ: ${[...answers].join('\n')}`);
  return samples;
}

/** The answer without what differs for every request. */
async function oneRefusal(
  client: RawConnection,
  user: string,
  secret: string,
): Promise<{ readonly tookNs: number; readonly answer: string }> {
  const authorization = Buffer.from(`${user}:${secret}`).toString('base64');
  const request = `GET ${scopedPath} HTTP/1.1\r\nHost: gw.example\r\nAuthorization: Basic ${authorization}\r\n\r\n`;
  const startedNs = process.hrtime.bigint();
  const response = client.nextResponse(60_000);
  await client.send(request, 'GET');
  const { head, body } = await response;
  const tookNs = Number(process.hrtime.bigint() - startedNs);
  const same = body.toString().replace(/"requestId":"[^"]*"/, '');
  return { tookNs, answer: head.replace(/^(?:date|content-length):.*$/gim, '') + same };
}

/** Which kinds can be told from the first, and the widest gap between medians of those that cannot. */
function rowsOf(where: string, samples: readonly Samples[], budget: string | null): readonly Row[] {
  const [reference, ...others] = samples as readonly [Samples, ...Samples[]];
  return (['cold', 'warm'] as const).map((pass) => {
    const told: string[] = [];
    let alikeUs = 0;
    for (const other of others) {
      const { distance, distanceMax, medianGap } = howFarApart(reference[pass], other[pass]);
      const gapUs = medianGap / 1_000;
      if (distance > distanceMax)
        told.push(`${other.kind} (${gapUs.toFixed(1)} µs, D ${distance.toFixed(2)})`);
      else alikeUs = Math.max(alikeUs, Math.abs(gapUs));
    }
    return {
      what: `refusals ${where}, ${pass}: told from "${reference.kind}"`,
      figure: told.length === 0 ? `none (medians within ${alikeUs.toFixed(1)} µs)` : told.join(', '),
      budget,
      met: budget === null ? null : told.length === 0,
    };
  });
}
