import { makeScratch } from '../test/support/scratch.ts';
import { applyLoad, type Load } from './load.ts';
import { type Peer, type StartPeer, startBackend, type Surroundings } from './peers.ts';
import { cpuUs } from './pinned.ts';

/** CPU time of one peer per answer, over all samples, in µs. */
export interface Measured {
  readonly name: string;
  /** Of the least disturbed tenth of the samples: other work on the machine only ever adds. */
  readonly leastUs: number;
  readonly medianUs: number;
}

/** What was measured, and what could not be. */
export interface Comparison {
  readonly measured: readonly Measured[];
  readonly missing: readonly { readonly name: string; readonly why: string }[];
}

/** How peers are compared. */
export interface Contest {
  readonly peers: readonly { readonly name: string; readonly start: StartPeer }[];
  readonly rounds: number;
  /** The load of one round on one peer. */
  load(peer: Peer): Load;
  /** What compiles and fills everything before anything counts. */
  readonly warmUp: Load['until'];
  /** Length of a sample; null: a whole round is one. */
  readonly sampleMs: number | null;
}

/** A sample with fewer answers says more about its edges than about its middle. */
const sampleAnswersMin = 100;

/** Lets every peer warm up, then measures them in turn, round by round, so that all meet the same weather. */
export async function compare(contest: Contest): Promise<Comparison> {
  const scratch = await makeScratch('bench');
  const backend = await startBackend();
  const around: Surroundings = { scratch, backendPort: backend.port };
  const entries: { readonly name: string; readonly peer: Peer; readonly samplesUs: number[] }[] = [];
  const missing: { readonly name: string; readonly why: string }[] = [];
  try {
    for (const { name, start } of contest.peers) {
      const peer = await start(around);
      if ('missing' in peer) missing.push({ name, why: peer.missing });
      else entries.push({ name, peer, samplesUs: [] });
    }
    for (const { peer } of entries) await applyLoad({ ...contest.load(peer), until: contest.warmUp });
    for (let round = 0; round < contest.rounds; round++) {
      for (const { peer, samplesUs } of entries) {
        samplesUs.push(...(await measureRound(contest.load(peer), peer, contest.sampleMs)));
      }
    }
  } finally {
    for (const { peer } of entries) await peer.stop();
    await backend.child.stop();
    await scratch.remove();
  }
  return { measured: entries.map(({ name, samplesUs }) => ({ name, ...summed(samplesUs) })), missing };
}

/** CPU time per answer, once for each sample of the round. */
async function measureRound(load: Load, { pids }: Peer, sampleMs: number | null): Promise<readonly number[]> {
  const before = cpuUs(pids);
  if (sampleMs === null) return [await applyLoad(load).then((answers) => (cpuUs(pids) - before) / answers)];
  const samples: number[] = [];
  let last = { cpu: before, answers: 0 };
  let answers = 0;
  const sampler = setInterval(() => {
    const now = { cpu: cpuUs(pids), answers };
    const count = now.answers - last.answers;
    if (count >= sampleAnswersMin) samples.push((now.cpu - last.cpu) / count);
    last = now;
  }, sampleMs);
  try {
    await applyLoad(load, () => answers++);
  } finally {
    clearInterval(sampler);
  }
  // The first sample holds the connecting.
  return samples.slice(1);
}

function summed(samples: readonly number[]): { readonly leastUs: number; readonly medianUs: number } {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN;
  return { leastUs: at(0.1), medianUs: at(0.5) };
}
