import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, unlink } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import path from 'node:path';
import { type Denial, deny } from '../core/decision.ts';
import { Fault } from '../core/errors.ts';
import type { OutgoingBody } from './request-body.ts';

/** Holds chunked uploads until their length is known. */
export interface Spool {
  /**
   * Reads the whole body into a file that has no name any more, so that nothing is left behind
   * whatever happens. Resolves to a body with a length, or to a denial where it is too large.
   * @throws {Fault} where the disk does not take it; rejects with the request's own error.
   */
  hold(
    req: IncomingMessage,
    first: readonly Buffer[],
    onBytes: (bytes: number) => void,
  ): Promise<OutgoingBody | Denial>;
}

/** `folder` is made on first use, readable by the gateway's user only. */
export function createSpool(folder: string, bytesMax: number): Spool {
  return {
    async hold(req, first, onBytes) {
      const file = await openNameless(folder);
      let bytes = 0;
      const write = async (chunk: Buffer): Promise<boolean> => {
        bytes += chunk.length;
        if (bytes > bytesMax) return false;
        await file.appendFile(chunk).catch((error: unknown) => {
          throw new Fault(
            'spool_full',
            `cannot write to the spool folder ${folder}: ${String(error)}`,
            error,
          );
        });
        return true;
      };
      try {
        for (const chunk of first) {
          if (!(await write(chunk))) return await refuse(file);
        }
        for await (const chunk of req as AsyncIterable<Buffer>) {
          onBytes(chunk.length);
          if (!(await write(chunk))) return await refuse(file);
        }
      } catch (error) {
        await file.close();
        throw error;
      }
      return {
        kind: 'stream',
        length: bytes,
        open: () => file.createReadStream({ start: 0, autoClose: true, highWaterMark: 262_144 }),
      };
    },
  };
}

async function refuse(file: FileHandle): Promise<Denial> {
  await file.close();
  return deny('body_too_large', 'spool limit');
}

async function openNameless(folder: string): Promise<FileHandle> {
  const name = path.join(folder, randomUUID());
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
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
