import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync, writeSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeScratch } from './scratch.ts';
import type { Requirement } from './requirement.ts';

/** A file system of its own that can be filled to the last byte. */
export interface SmallDisk {
  readonly path: string;
  /** The disk's path joined with `parts`. */
  file(...parts: readonly string[]): string;
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives back what `fill` took, if it did. */
  makeRoom(): Promise<void>;
  /** Unmounts it; fails where a file on it is still open. */
  remove(): Promise<void>;
}

const blockBytes = 4_096;

/** Runs a test only where this user may mount file systems; a named skip otherwise, with `CI=true` too. */
export function requireSmallDisk(): Requirement {
  const path = mkdtempSync(join(tmpdir(), 'latchkey-mount-'));
  try {
    mount(path, blockBytes);
    unmount(path);
    return { skip: false };
  } catch {
    return { skip: 'this user may not mount file systems' };
  } finally {
    rmdirSync(path);
  }
}

/** Mounts one of that many bytes, kept in memory. Needs `requireSmallDisk`. */
export async function mountSmallDisk(bytes: number): Promise<SmallDisk> {
  const scratch = await makeScratch('disk');
  const path = scratch.file('disk');
  await mkdir(path);
  mount(path, bytes);
  const ballast = join(path, 'ballast');
  return {
    path,
    file: (...parts) => join(path, ...parts),
    fill() {
      const file = openSync(ballast, 'a');
      try {
        for (;;) writeSync(file, Buffer.alloc(blockBytes));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
    },
    makeRoom: () => rm(ballast, { force: true }),
    async remove() {
      unmount(path);
      await scratch.remove();
    },
  };
}

function mount(path: string, bytes: number): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', path], { stdio: 'pipe' });
}

function unmount(path: string): void {
  execFileSync('umount', [path], { stdio: 'pipe' });
}
