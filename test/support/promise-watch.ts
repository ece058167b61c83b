/** How tests hold processes to the revocation promise. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from './eventually.ts';
import { machineMs } from './verifier-process.ts';
import type { Report, Stall, TokenReport, VerifierProcess } from './verifier-process.ts';

/** With one fault, whatever it is. */
export const promisedMs = 5_000;
/** Without any. */
export const promisedCalmMs = 100;
/** A test of a fault looks this long after the change for a token that comes back from the dead. */
const watchMs = 1_200;

/** Lets processes hammer these tokens, `valid` among them, until each has found all of them good and in memory. */
export async function hammerUntilKnown(
  processes: readonly VerifierProcess[],
  tokens: Readonly<Record<string, string>>,
): Promise<void> {
  await Promise.all(processes.map((verifier) => verifier.hammer(tokens)));
  for (const verifier of processes) {
    await eventually('every token to be verified from memory', async () =>
      Object.values((await verifier.report()).tokens).every((token) => (token.tiers['l1'] ?? 0) > 20),
    );
  }
}

/**
 * Waits until each process refuses all but the token `valid`, and a little longer; then nothing may have said yes
 * later than `boundMs` behind `returnedAt`, and `valid` may never have been refused.
 */
export async function assertPromiseKept(
  processes: readonly VerifierProcess[],
  returnedAt: number,
  boundMs: number,
): Promise<void> {
  for (const verifier of processes) {
    await eventually(
      'every changed token to be refused',
      async () =>
        changed(await verifier.report()).every(
          ({ lastRefusedBeganAt }) => (lastRefusedBeganAt ?? 0) > returnedAt,
        ),
      { withinMs: promisedMs + 3_000 },
    );
  }
  const restMs = returnedAt + watchMs - machineMs();
  if (restMs > 0) await delay(restMs);
  for (const verifier of processes) assertReport(await verifier.report(), returnedAt, boundMs);
}

function changed(report: Report): readonly TokenReport[] {
  return Object.entries(report.tokens)
    .filter(([label]) => label !== 'valid')
    .map(([, token]) => token);
}

/**
 * The promise is about a process that runs. How long the machine did not let it run is taken off, as the process
 * itself measured it: gaps of more than 10 ms between two ticks of a 2 ms timer, on a clock that nobody sets.
 */
function assertReport(report: Report, returnedAt: number, boundMs: number): void {
  for (const token of changed(report)) {
    const lateMs = (token.lastVerifiedBeganAt ?? 0) - returnedAt;
    const stalledMs =
      boundMs === promisedCalmMs ? stalledBetween(report.stalls, returnedAt, returnedAt + lateMs) : 0;
    const story = `verified ${lateMs} ms after the change, ${stalledMs} ms of it stalled: ${JSON.stringify(token)}`;
    assert.ok(lateMs - stalledMs <= boundMs, story);
    assert.equal(token.faults, 0, story);
  }
  const { valid } = report.tokens;
  assert.ok(valid !== undefined && valid.verified > 0);
  assert.deepEqual(
    { refused: valid.refused, faults: valid.faults },
    { refused: 0, faults: 0 },
    JSON.stringify(valid),
  );
}

function stalledBetween(stalls: readonly Stall[], from: number, to: number): number {
  return stalls.reduce(
    (sum, stall) => sum + Math.max(0, Math.min(stall.to, to) - Math.max(stall.from, from)),
    0,
  );
}
