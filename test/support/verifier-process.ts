import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { PepperConfig, RedisConfig } from '../../src/config/config.ts';
import { within } from './eventually.ts';

/** What a verifier process is made of. */
export interface VerifierSetup {
  readonly storePath: string;
  readonly redis: RedisConfig | null;
  readonly peppers: readonly PepperConfig[];
}

/** What became of one token's verifications since hammering began. Times are `machineMs`. */
export interface TokenReport {
  verified: number;
  refused: number;
  faults: number;
  /** When the latest verification that said yes began. */
  lastVerifiedBeganAt: number | null;
  lastRefusedBeganAt: number | null;
  /** How often each reason and tier was given. */
  readonly reasons: Readonly<Record<string, number>>;
  readonly tiers: Readonly<Record<string, number>>;
}

/** A time in which the process did not get to run, `machineMs`. */
export interface Stall {
  readonly from: number;
  readonly to: number;
}

/** What a verifier process tells of itself. */
export interface Report {
  readonly kind: 'report';
  readonly tokens: Readonly<Record<string, TokenReport>>;
  readonly stalls: readonly Stall[];
}

/** What a verifier process is told. */
export type Order =
  | { readonly kind: 'hammer'; readonly tokens: Readonly<Record<string, string>> }
  | { readonly kind: 'report' }
  | { readonly kind: 'deafen' };

/** Shorter gaps between two ticks are not told of. */
export const stallMsMin = 10;

/** A clock that all processes of this machine share and nobody sets, milliseconds. */
export function machineMs(): number {
  return Number(process.hrtime.bigint() / 1_000n) / 1_000;
}

/** A process that verifies tokens as a gateway does, over and over. */
export interface VerifierProcess {
  readonly pid: number;
  /** From now on verifies these tokens, by label, some hundred times a second. */
  hammer(tokens: Readonly<Record<string, string>>): Promise<void>;
  report(): Promise<Report>;
  /** From now on nothing its journal says is passed on, and nobody tells it. */
  deafenJournal(): Promise<void>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Starts one; resolves once it verifies. It ends with this process at the latest. */
export async function startVerifier(setup: VerifierSetup): Promise<VerifierProcess> {
  const child = fork(new URL('verifier-main.ts', import.meta.url), [JSON.stringify(setup)]);
  await within('the verifier process to be ready', 30_000, once(child, 'message'));
  // One order at a time: every answer belongs to the last order.
  let previous: Promise<unknown> = Promise.resolve();
  const tell = (order: Order): Promise<Report> => {
    const answer = previous.then(async () => {
      const answered = once(child, 'message');
      child.send(order);
      return (await within('the verifier process to answer', 10_000, answered))[0] as Report;
    });
    previous = answer.catch(() => undefined);
    return answer;
  };
  const { pid } = child;
  if (pid === undefined) throw new Error('the verifier process could not be started');
  return {
    pid,
    async hammer(tokens) {
      await tell({ kind: 'hammer', tokens });
    },
    report: () => tell({ kind: 'report' }),
    async deafenJournal() {
      await tell({ kind: 'deafen' });
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
