import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of one test's own. */
export interface Scratch {
  readonly path: string;
  /** The folder's path joined with `parts`. */
  file(...parts: readonly string[]): string;
  /** Removes the folder and everything in it; a second call does nothing. */
  remove(): Promise<void>;
}

/** Makes an empty folder under the system's temporary folder, readable by servers that drop their rights. */
export async function makeScratch(label: string): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), `latchkey-${label}-`));
  await chmod(path, 0o755);
  return {
    path,
    file: (...parts) => join(path, ...parts),
    remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}
