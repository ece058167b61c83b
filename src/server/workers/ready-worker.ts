import type { News, Serving } from './messages.ts';
import { WorkerFailure } from './worker-failure.ts';
import type { WorkerEnd, WorkerProcess } from './worker-process.ts';

/** A worker that serves. */
export interface ReadyWorker {
  readonly process: WorkerProcess;
  readonly serving: Serving;
}

/**
 * Resolves when the worker serves; `begin` is called once it runs, and `heard` gets all it says then and later.
 * Rejects with WorkerFailure where it ends before.
 */
export function becomesReady(
  process: WorkerProcess,
  begin: () => void,
  heard: (news: News) => void,
): Promise<ReadyWorker> {
  return new Promise((resolve, reject) => {
    let failure: WorkerFailure | null = null;
    process.listen((news) => {
      if (news.kind === 'hello') begin();
      else if (news.kind === 'failed') failure = new WorkerFailure(news.message);
      else if (news.kind === 'ready') resolve({ process, serving: news });
      else heard(news);
    });
    void process.ended.then((end) => reject(failure ?? endedWith(end)));
  });
}

/** A worker that ended without a word. */
export function endedWith({ code, signal }: WorkerEnd): WorkerFailure {
  const how = signal === null ? `code ${code ?? 'unknown'}` : signal;
  return new WorkerFailure(`a worker ended with ${how}: what it wrote before says more.`);
}
