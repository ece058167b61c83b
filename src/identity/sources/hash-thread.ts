import { Worker } from 'node:worker_threads';
import { Fault } from '../../core/errors.ts';

/** Checks passwords against the hashes of an htpasswd file, beside the thread that serves requests. */
export interface HashThread {
  /** Rejects with `Fault('sign_in_unavailable')` where the thread fails. */
  matches(hash: string, password: string): Promise<boolean>;
  close(): Promise<void>;
}

interface Waiting {
  readonly resolve: (matches: boolean) => void;
  readonly reject: (error: Fault) => void;
}

/** Starts its thread with the first password, and another one where that has failed. */
export function createHashThread(): HashThread {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let lastId = 0;

  function fail(failed: Worker, cause: unknown): void {
    if (worker !== failed) return;
    worker = null;
    const fault = new Fault('sign_in_unavailable', 'The thread that checks passwords has ended.', cause);
    for (const { reject } of waiting.values()) reject(fault);
    waiting.clear();
  }

  function start(): Worker {
    // Node runs the source as it is; the package holds it compiled.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const started = new Worker(new URL(`./htpasswd-worker.${extension}`, import.meta.url));
    started.on('message', ({ id, matches }: { id: number; matches: boolean }) => {
      waiting.get(id)?.resolve(matches);
      waiting.delete(id);
      // Nobody waits: it keeps no process alive.
      if (waiting.size === 0) started.unref();
    });
    started.on('error', (error) => fail(started, error));
    started.on('exit', (code) => fail(started, new Error(`exit code ${code}`)));
    return started;
  }

  return {
    matches(hash, password) {
      const running = (worker ??= start());
      running.ref();
      const id = ++lastId;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        running.postMessage({ id, hash, password }, []);
      });
    },
    async close() {
      const running = worker;
      if (running === null) return;
      fail(running, new Error('closed'));
      await running.terminate();
    },
  };
}
