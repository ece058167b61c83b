import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { within } from './eventually.ts';

/** What each connection of an attack does. Plain data: it is carried out by another process. */
export interface Attack {
  readonly port: number;
  /** Connections held open at a time. */
  readonly connections: number;
  /** Source addresses that they are spread over, from 127.1.0.1 on. Default 100. */
  readonly addresses?: number;
  /** Connections opened in a second; default 2,000. */
  readonly perSecond?: number;
  /** Sent as soon as a connection stands; where there are several, they take turns. */
  readonly hello: string | readonly string[];
  /** Sent again and again. */
  readonly drip?: { readonly text: string; readonly everyMs: number };
  /** How fast answers are read: at once (the default), so many bytes now and then, or never. */
  readonly read?: { readonly bytes: number; readonly everyMs: number } | 'never';
  /** Sends its FIN behind `hello`. */
  readonly halfClose?: boolean;
  /** Leaves by itself: with a reset as soon as it has said hello, or once something was answered. */
  readonly leave?: 'at once' | 'answered';
  /** Replaces each connection that has ended. Default true. */
  readonly again?: boolean;
}

/** How an attack goes. */
export interface AttackReport {
  readonly opened: number;
  readonly open: number;
  /** Ended by the other side. */
  readonly cut: number;
  /** Could not be opened. */
  readonly failed: number;
  /** Status codes of all first answers; 0 where a connection was cut without one. */
  readonly answers: Readonly<Record<number, number>>;
  /** The longest that a connection has lasted, or lasts. */
  readonly longestMs: number;
}

/** An attack that is under way. */
export interface RunningAttack {
  report(): Promise<AttackReport>;
  /** Ends it and says how it went. */
  stop(): Promise<AttackReport>;
}

/**
 * Starts an attack in a process of its own, which gets only the processor time that nobody else wants: what an
 * attacker's machine spends is not the gateway's. Resolves when as many connections stand as shall, or, where they
 * do not last, when it has begun. Ends with this process at the latest.
 */
export async function startAttack(attack: Attack): Promise<RunningAttack> {
  const child = fork(new URL('attack-main.ts', import.meta.url));
  child.send(attack);
  setPriority(child.pid as number, 5);
  await within('the attack to begin', 60_000, once(child, 'message'));
  return {
    report: () => ask(child, 'report'),
    async stop() {
      const exited = once(child, 'exit');
      const report = await ask(child, 'stop');
      await exited;
      return report;
    },
  };
}

async function ask(child: ChildProcess, order: 'report' | 'stop'): Promise<AttackReport> {
  const answered = once(child, 'message');
  child.send(order);
  return (await within('the attacker to answer', 20_000, answered))[0] as AttackReport;
}
