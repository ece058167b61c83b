import { fork } from 'node:child_process';
import { once } from 'node:events';
import { within } from './eventually.ts';

/** A streaming backend in a process of its own. */
export interface StreamingBackendProcess {
  readonly url: string;
  close(): Promise<void>;
}

/** Starts one (see `startStreamingBackend`) that takes no time of this process's. Ends with this process at the latest. */
export async function startStreamingBackendProcess(): Promise<StreamingBackendProcess> {
  const child = fork(new URL('streaming-backend-main.ts', import.meta.url));
  const [url] = (await within('the backend to listen', 60_000, once(child, 'message'))) as [string];
  return {
    url,
    async close() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
