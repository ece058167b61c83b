import { randomUUID } from 'node:crypto';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import path from 'node:path';
import { type Denial, deny } from '../core/decision.ts';
import { Fault } from '../core/errors.ts';
import { makeFolder } from '../core/make-folder.ts';
import type { ClientRequest } from './client-request.ts';
import type { ProgressWatch } from './progress.ts';
import { ClientGone, ClientStalled, type OutgoingBody } from './request-body.ts';

/** Holds chunked uploads until their length is known. */
export interface Spool {
  /**
   * Reads the whole body into a file that has no name any more, so that nothing is left behind
   * whatever happens. Resolves to a body with a length, to be released, or to a denial where it is
   * too large; the rest of the request is then unread. Rejects with ClientGone, or with
   * ClientStalled where `watch` sees no progress.
   * @throws {Fault} where the disk does not take it
   */
  hold(
    req: ClientRequest,
    first: readonly Buffer[],
    onBytes: (bytes: number) => void,
  ): Promise<OutgoingBody | Denial>;
}

/** What holding needs. */
export interface SpoolDeps {
  /** Made on first use, readable by the gateway's user only. */
  readonly folder: string;
  readonly bytesMax: number;
  readonly watch: ProgressWatch;
}

/** See `Spool`. */
export function createSpool({ folder, bytesMax, watch }: SpoolDeps): Spool {
  return {
    async hold(req, first, onBytes) {
      const file = await openNameless(folder);
      let bytes = 0;
      try {
        for await (const chunk of arriving(req, first, onBytes, watch)) {
          bytes += chunk.length;
          if (bytes > bytesMax) {
            await file.close();
            return deny('body_too_large', 'spool limit');
          }
          await write(file, chunk, folder);
        }
      } catch (error) {
        await file.close();
        throw error;
      }
      return {
        kind: 'stream',
        length: bytes,
        open: () => file.createReadStream({ start: 0, autoClose: false, highWaterMark: 262_144 }),
        release: () => void file.close(),
      };
    },
  };
}

/** The body as it comes, watched for progress. Leaves the request whole: an answer can still go out. */
async function* arriving(
  req: ClientRequest,
  first: readonly Buffer[],
  onBytes: (bytes: number) => void,
  watch: ProgressWatch,
): AsyncGenerator<Buffer> {
  yield* first;
  const chunks = req.iterator({ destroyOnReturn: false });
  let moved = 0;
  let waits = false;
  let stall = (_reason: ClientStalled): void => undefined;
  const stalled = new Promise<never>((_resolve, reject) => {
    stall = reject;
  });
  const transfer = {
    movedBytes: () => moved,
    waitsForClient: () => waits,
    stall: () => stall(new ClientStalled()),
  };
  watch.add(transfer);
  try {
    for (;;) {
      const gone = (): never => {
        throw new ClientGone();
      };
      waits = true;
      const next = await Promise.race([chunks.next().catch(gone), stalled]);
      waits = false;
      if (next.done === true) return;
      moved += next.value.length;
      onBytes(next.value.length);
      yield next.value;
    }
  } finally {
    watch.delete(transfer);
    // Not awaited: behind a read that never ends it would wait for ever.
    void chunks.return?.();
  }
}

async function write(file: FileHandle, chunk: Buffer, folder: string): Promise<void> {
  try {
    await file.appendFile(chunk);
  } catch (error) {
    throw new Fault('spool_full', `cannot write to the spool folder ${folder}: ${String(error)}`, error);
  }
}

async function openNameless(folder: string): Promise<FileHandle> {
  const name = path.join(folder, randomUUID());
  try {
    makeFolder(folder);
    const file = await open(name, 'wx+', 0o600);
    await unlink(name);
    return file;
  } catch (error) {
    throw new Fault(
      'spool_full',
      `cannot open a file in the spool folder ${folder}: ${String(error)}`,
      error,
    );
  }
}
