import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sitePath } from '../../core/site-path.ts';

/** A file as it is sent. */
export interface StaticFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

/** Style sheets, scripts and the mark: read once, under an address that changes with their content. */
export interface StaticFiles {
  /** The folder of this content, to be followed by a slash and a file's name. */
  readonly base: string;
  /** Null for every other name, or the content of another day. */
  find(hash: string, name: string): StaticFile | null;
}

const contentTypes = { css: 'text/css', js: 'text/javascript', svg: 'image/svg+xml' } as const;

const names = [
  'confirm-dialog.js',
  'copy.js',
  'first-use.js',
  'forms.css',
  'mark.svg',
  'parts.css',
  'portal.css',
  'portal.js',
  'select-all.js',
] as const;

/**
 * Reads all files that pages need from the folder `static` beside this module. One hash names all of them, so that
 * scripts can import each other by relative names.
 * @throws Error where one is missing
 */
export function loadStaticFiles(): StaticFiles {
  const files = new Map<string, StaticFile>();
  const hash = createHash('sha256');
  for (const name of names) {
    const body = new Uint8Array(readFileSync(join(import.meta.dirname, 'static', name)));
    const ending = name.slice(name.lastIndexOf('.') + 1) as keyof typeof contentTypes;
    hash.update(`${name} ${body.length} `).update(body);
    files.set(name, { body, contentType: `${contentTypes[ending]}; charset=utf-8` });
  }
  const version = hash.digest('base64url').slice(0, 16);
  return {
    base: `${sitePath}/static/${version}`,
    find: (asked, name) => (asked === version ? (files.get(name) ?? null) : null),
  };
}
