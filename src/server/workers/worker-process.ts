import type { ChildProcess } from 'node:child_process';
import type { FromWorker, News, Question, Questions, ToWorker } from './messages.ts';

/** How a process ended. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A worker as the supervisor sees it. */
export interface WorkerProcess {
  readonly pid: number;
  readonly ended: Promise<WorkerEnd>;
  /** Lost where the worker is gone. */
  send(message: ToWorker): void;
  /** Everything it says unasked goes there; called once. */
  listen(heard: (news: News) => void): void;
  /** Resolves to the answer; null where none came within `withinMs`, or the worker ended. */
  ask<Q extends Question>(
    question: Q,
    asked: Questions[Q]['asked'],
    withinMs: number,
  ): Promise<{ readonly answer: Questions[Q]['answer'] } | null>;
  /** Ends it at once. */
  kill(): void;
}

/** Wraps a child process that has a channel. */
export function workerProcess(child: ChildProcess): WorkerProcess {
  const waiting = new Map<number, (answer: { readonly answer: unknown } | null) => void>();
  let lastId = 0;
  let isGone = false;
  let hear: (news: News) => void = () => undefined;
  const send = (message: ToWorker): void => {
    // Whoever is gone is missed by `ended`.
    if (child.connected) child.send(message, () => undefined);
  };
  child.on('message', (raw: unknown) => {
    const message = raw as FromWorker;
    if (message.kind === 'answer') waiting.get(message.id)?.({ answer: message.answer });
    else hear(message);
  });
  const ended = new Promise<WorkerEnd>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', () => {
      // One that could not be started ended at once.
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
  void ended.then(() => {
    isGone = true;
    for (const answered of waiting.values()) answered(null);
  });
  return {
    pid: child.pid ?? -1,
    ended,
    send,
    listen: (heard) => {
      hear = heard;
    },
    ask<Q extends Question>(question: Q, asked: Questions[Q]['asked'], withinMs: number) {
      // Nobody is going to answer, and nothing would say so.
      if (isGone || !child.connected) return Promise.resolve(null);
      const id = ++lastId;
      return new Promise<{ readonly answer: Questions[Q]['answer'] } | null>((resolve) => {
        const done = (answer: { readonly answer: unknown } | null): void => {
          clearTimeout(patience);
          waiting.delete(id);
          resolve(answer as { readonly answer: Questions[Q]['answer'] } | null);
        };
        const patience = setTimeout(() => done(null), withinMs);
        waiting.set(id, done);
        send({ kind: 'ask', id, question, asked });
      });
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
