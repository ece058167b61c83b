import { type Peer, type StartPeer, startBackend, type Surroundings } from './peers.ts';
import { cpuMs } from './pinned.ts';
import { applyLoad, type Load } from './load.ts';
import { makeScratch } from '../test/support/scratch.ts';

/** CPU time of one peer per unit of work, over all rounds. */
export interface Measured {
  readonly name: string;
  /** Of the least disturbed round: other work on the machine only ever adds. */
  readonly least: number;
  readonly median: number;
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
  /** CPU milliseconds and answers of one round as the figure to compare. */
  figure(cpuMilliseconds: number, answers: number): number;
}

/** Lets every peer warm up, then measures them in turn, round by round, so that all meet the same weather. */
export async function compare(contest: Contest): Promise<Comparison> {
  const scratch = await makeScratch('bench');
  const backend = await startBackend();
  const around: Surroundings = { scratch, backendPort: backend.port };
  const entries: { readonly name: string; readonly peer: Peer; readonly figures: number[] }[] = [];
  const missing: { readonly name: string; readonly why: string }[] = [];
  try {
    for (const { name, start } of contest.peers) {
      const peer = await start(around);
      if ('missing' in peer) missing.push({ name, why: peer.missing });
      else entries.push({ name, peer, figures: [] });
    }
    for (const { peer } of entries) await applyLoad(contest.load(peer));
    for (let round = 0; round < contest.rounds; round++) {
      for (const { peer, figures } of entries) {
        const before = cpuMs(peer.pids);
        const answers = await applyLoad(contest.load(peer));
        figures.push(contest.figure(cpuMs(peer.pids) - before, answers));
      }
    }
  } finally {
    for (const { peer } of entries) await peer.stop();
    await backend.child.stop();
    await scratch.remove();
  }
  return { measured: entries.map(({ name, figures }) => ({ name, ...summed(figures) })), missing };
}

function summed(figures: readonly number[]): { readonly least: number; readonly median: number } {
  const sorted = figures.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const median =
    ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2;
  return { least: sorted[0] ?? Number.NaN, median };
}
