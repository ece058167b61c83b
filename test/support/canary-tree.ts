import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HttpMessage } from './http-message.ts';
import { field } from './http-message.ts';

/**
 * A tree of files on disk in which every file is known by its content, its size and its name, so that a response
 * tells which file a server read, and the disk which one it wrote.
 */
export interface CanaryTree {
  /** Paths, relative to the root, that this response shows something of: content, size or name. */
  shownBy(answer: HttpMessage): readonly string[];
  /** What has changed on disk since it was made or mended. */
  changes(): Changes;
  /** Puts everything back. */
  mend(): void;
}

/** What a request did to the tree; paths are relative to the root, those of folders end with a slash. */
export interface Changes {
  /** Made, removed, replaced or written. */
  readonly touched: readonly string[];
  /** Files whose content now stands elsewhere, too: copied or moved from here. */
  readonly carried: readonly string[];
}

interface Seen {
  readonly folder: boolean;
  readonly inode: number;
  readonly bytes: number;
  readonly changedMs: number;
}

/** Files have ever other sizes from here on, which are the sizes of nothing else that servers send. */
const firstBytes = 31_000;
const canary = /\{canary (\d+)\}/g;

/**
 * Fills an empty folder: `files` (relative paths) and the folders they need, and in every folder a file of
 * a name found nowhere else. Everybody may write everywhere, so that servers which drop their rights can.
 */
export function plantCanaries(root: string, files: readonly string[]): CanaryTree {
  const folders = new Set<string>(['']);
  for (const file of files) {
    const segments = file.split('/');
    for (let end = 1; end < segments.length; end++) folders.add(`${segments.slice(0, end).join('/')}/`);
  }
  const named = [...folders].map((folder, index) => `${folder}zz-${index}-only-here`);
  const every = [...files, ...named];
  const contents = new Map(every.map((file, index) => [file, contentOf(index)]));
  const plant = (): void => {
    for (const folder of folders) {
      mkdirSync(join(root, folder), { recursive: true });
      chmodSync(join(root, folder), 0o777);
    }
    for (const [file, content] of contents) {
      if (lstatSync(join(root, file), { throwIfNoEntry: false }) !== undefined) continue;
      writeFileSync(join(root, file), content);
      chmodSync(join(root, file), 0o666);
    }
  };
  plant();
  let planted = look(root);

  return {
    shownBy(answer) {
      const text = answer.body.toString('latin1');
      const bytes = Number(field(answer, 'content-length') ?? 0);
      const listed = [...text.matchAll(/zz-(\d+)-only-here/g)].map(([, at]) => named[Number(at)]);
      const read = [...text.matchAll(canary)].map(([, at]) => every[Number(at)]);
      const sized = [...text.matchAll(/getcontentlength[^>]*>(\d+)</g)].map(([, size]) => Number(size));
      const measured = [bytes, ...sized].map((size) => every[size - firstBytes]);
      return [...new Set([...listed, ...read, ...measured].filter((path) => path !== undefined))];
    },
    changes() {
      const now = look(root);
      const touched = [...new Set([...planted.keys(), ...now.keys()])].filter(
        (path) => !isSame(planted.get(path), now.get(path)),
      );
      const carried = touched.flatMap((path) => {
        if (now.get(path)?.folder !== false) return [];
        const sources = [...readFileSync(join(root, path), 'latin1').matchAll(canary)];
        return [...new Set(sources.map(([, at]) => every[Number(at)] ?? ''))].filter((from) => from !== path);
      });
      return { touched, carried };
    },
    mend() {
      const now = look(root);
      for (const [path, seen] of now) {
        if (!isSame(planted.get(path), seen)) rmSync(join(root, path), { recursive: true, force: true });
      }
      plant();
      planted = look(root);
    },
  };
}

function contentOf(index: number): string {
  const mark = `{canary ${index}}\n`;
  return mark.repeat(Math.ceil((firstBytes + index) / mark.length)).slice(0, firstBytes + index);
}

/** Everything below the root but what mod_dav keeps for itself. */
function look(root: string): ReadonlyMap<string, Seen> {
  const found = new Map<string, Seen>();
  const walk = (folder: string): void => {
    for (const name of readdirSync(join(root, folder))) {
      if (name === '.DAV') continue;
      const stat = lstatSync(join(root, folder, name));
      const isFolder = stat.isDirectory();
      const path = `${folder}${name}${isFolder ? '/' : ''}`;
      found.set(path, {
        folder: isFolder,
        inode: stat.ino,
        bytes: stat.size,
        changedMs: stat.mtimeMs,
      });
      if (isFolder) walk(path);
    }
  };
  walk('');
  return found;
}

/** Of a folder only whether it is the same one: its times and size tell of its files, which are listed themselves. */
function isSame(a: Seen | undefined, b: Seen | undefined): boolean {
  if (a === undefined || b === undefined || a.folder !== b.folder || a.inode !== b.inode) return false;
  return a.folder || (a.bytes === b.bytes && a.changedMs === b.changedMs);
}
