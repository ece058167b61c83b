import type { News, Serving } from './messages.ts';
import { WorkerFailure } from './worker-failure.ts';
import type { WorkerEnd, WorkerProcess } from './worker-process.ts';

/** A worker that serves. */
export interface ReadyWorker {
  readonly process: WorkerProcess;
  readonly serving: Serving;
}

/** How often it is looked whether one that starts has taken too long. */
const lookEveryMs = 2_000;

/**
 * Resolves when the worker serves; `begin` is called once it runs, and `heard` gets all it says then and later.
 * Rejects with WorkerFailure where it ends before, or does not serve within `startMsMax`, when it is killed.
 */
export async function becomesReady(
  process: WorkerProcess,
  begin: () => void,
  heard: (news: News) => void,
  startMsMax: number,
): Promise<ReadyWorker> {
  const { promise, resolve, reject } = Promise.withResolvers<ReadyWorker>();
  let failure: WorkerFailure | null = null;
  process.listen((news) => {
    if (news.kind === 'hello') begin();
    else if (news.kind === 'failed') failure = new WorkerFailure(news.message);
    else if (news.kind === 'ready') resolve({ process, serving: news });
    else heard(news);
  });
  void process.ended.then((end) => reject(failure ?? endedWith(end)));
  let looks = 0;
  // Counted, not timed: a machine that slept is no worker that hangs.
  const looking = setInterval(() => {
    if (++looks * lookEveryMs < startMsMax) return;
    process.kill();
    reject(stuck(startMsMax));
  }, lookEveryMs);
  try {
    return await promise;
  } finally {
    clearInterval(looking);
  }
}

function stuck(startMsMax: number): WorkerFailure {
  return new WorkerFailure(
    `a worker did not come to serve within ${startMsMax / 60_000} minutes and was killed: look at what its start may ` +
      'wait for, the store or a file of dataDir.',
  );
}

/** A worker that ended without a word. */
export function endedWith({ code, signal }: WorkerEnd): WorkerFailure {
  const how = signal === null ? `code ${code ?? 'unknown'}` : signal;
  return new WorkerFailure(`a worker ended with ${how}: what it wrote before says more.`);
}
