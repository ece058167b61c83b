import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Keeps the memory of streamed bodies flat. */
export interface BodyMemory {
  /** So many bytes of a body have passed through buffers that are garbage by now, or soon. */
  moved(bytes: number): void;
}

/** Garbage allowed to gather between two collections. */
const betweenCollectionsBytes = 8_388_608;

/**
 * Collects the young generation after every 8 MiB of bodies. V8 alone lets the buffers of a fast
 * transfer pile up to some hundred MiB, because their bytes lie outside the heap whose growth it
 * watches; a young collection takes about a millisecond.
 */
export function createBodyMemory(): BodyMemory {
  const collect = youngCollection();
  let sinceBytes = 0;
  return {
    moved(bytes) {
      sinceBytes += bytes;
      if (sinceBytes < betweenCollectionsBytes) return;
      sinceBytes = 0;
      collect();
    },
  };
}

/** The collector as a function: Node gives it away only where the flag is set when a context begins. */
function youngCollection(): () => void {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options: { readonly type: 'minor' }) => void;
  setFlagsFromString('--no-expose-gc');
  return () => gc({ type: 'minor' });
}
