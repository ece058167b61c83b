import cluster from 'node:cluster';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FailureTotal, SharedFailures } from '../../tokens/shared-failures.ts';
import type { Begin, FromWorker, Question, Questions, Serving, ToWorker } from './messages.ts';

/** Longest wait for the supervisor's count; without it, a worker goes by its own. */
const countedMsMax = 1_000;

/** How a worker answers each question. */
export type Answers = {
  readonly [Q in Question]: (
    asked: Questions[Q]['asked'],
  ) => Questions[Q]['answer'] | Promise<Questions[Q]['answer']>;
};

/** Why a worker is to finish, and how long its connections may still bring a request. */
export interface Dismissal {
  readonly why: 'told' | 'orphaned';
  readonly lingerMs: number;
}

/** The supervisor as a worker sees it. */
export interface SupervisorLink {
  /** What this worker is to do. */
  readonly begin: Promise<Begin>;
  /** Resolves when it is to finish: told so, or because nobody is there any more to tell. */
  readonly dismissed: Promise<Dismissal>;
  /** From now on questions are answered. */
  ready(serving: Omit<Serving, 'kind'>, answers: Answers): void;
  /** Counts failures for all workers, in the supervisor. */
  failures(windowMs: number): SharedFailures;
  /** Says one last thing and closes the channel; resolves when it is out. */
  leave(last: Extract<FromWorker, { readonly kind: 'failed' | 'left' }>): Promise<void>;
}

/** The channel of this process to its supervisor; null where it has none. */
export function openSupervisorLink(): SupervisorLink | null {
  if (process.send === undefined) return null;
  // node:cluster would end this process with its supervisor, in the midst of requests.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true;
  const begin = Promise.withResolvers<Begin>();
  const dismissed = Promise.withResolvers<Dismissal>();
  const counted = new Map<number, (total: FailureTotal | null) => void>();
  let answers: Answers | null = null;
  let lastId = 0;

  async function answer({ id, question, asked }: ToWorker & { readonly kind: 'ask' }): Promise<void> {
    if (answers === null) return;
    say({ kind: 'answer', id, answer: await answers[question](asked as never) });
  }
  process.on('message', (raw: unknown) => {
    const message = raw as ToWorker;
    if (message.kind === 'begin') begin.resolve(message);
    else if (message.kind === 'drain') {
      dismissed.resolve({ why: 'told', lingerMs: message.lingerMs });
    } else if (message.kind === 'counted') counted.get(message.id)?.(message.total);
    // What cannot be answered is missed by whoever asked.
    else void answer(message).catch(() => undefined);
  });
  const orphaned = (): void => dismissed.resolve({ why: 'orphaned', lingerMs: 0 });
  process.on('disconnect', orphaned);
  if (!process.connected) orphaned();
  say({ kind: 'hello' });

  function count(name: string, guess: string, windowMs: number): Promise<FailureTotal | null> {
    const id = ++lastId;
    return new Promise((resolve) => {
      const done = (total: FailureTotal | null): void => {
        clearTimeout(patience);
        counted.delete(id);
        resolve(total);
      };
      const patience = setTimeout(() => done(null), countedMsMax);
      counted.set(id, done);
      say({ kind: 'failure', id, name, guess, windowMs });
    });
  }
  return {
    begin: begin.promise,
    dismissed: dismissed.promise,
    ready(serving, given) {
      answers = given;
      say({ kind: 'ready', ...serving });
    },
    failures: (windowMs) => ({ add: (name, guess) => count(name, guess, windowMs) }),
    async leave(last) {
      await new Promise<void>((resolve) => say(last, resolve));
      await nextTurn();
      if (process.connected) process.disconnect();
    },
  };
}

/** Lost where nobody is there. */
function say(message: FromWorker, said: () => void = () => undefined): void {
  if (process.connected && process.send !== undefined) process.send(message, undefined, undefined, said);
  else said();
}
