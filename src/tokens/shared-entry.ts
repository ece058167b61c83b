import { Buffer } from 'node:buffer';
import { timingSafeEqual } from 'node:crypto';
import type { PepperId } from '../core/ids.ts';
import type { Peppers } from './digest.ts';

/** What stands in a shared cache: a fact as read from the store, or that there is none. */
export interface SharedEntry {
  /** Wall clock of the process that read it, when reading began. */
  readonly readAt: number;
  /** JSON data, null where the store knows nobody. */
  readonly data: unknown;
}

const purpose = 'shared cache entry';

/**
 * Writes an entry so that only a holder of the peppers could have made it, and only for this key:
 * whoever can write to the cache can neither invent a principal nor move one to another key.
 */
export function sealEntry(peppers: Peppers, key: string, entry: SharedEntry): string {
  const body = JSON.stringify(entry);
  const seal = peppers.derive(purpose, peppers.current, sealed(key, body)) ?? '';
  return `${peppers.current} ${seal} ${body}`;
}

/** Reads what `sealEntry` wrote for this key; null where it is anything else. */
export function unsealEntry(peppers: Peppers, key: string, text: string): SharedEntry | null {
  const idEnd = text.indexOf(' ');
  const sealEnd = text.indexOf(' ', idEnd + 1);
  if (idEnd < 0 || sealEnd < 0) return null;
  const body = text.slice(sealEnd + 1);
  const expected = peppers.derive(purpose, text.slice(0, idEnd) as PepperId, sealed(key, body));
  if (expected === null || !equal(expected, text.slice(idEnd + 1, sealEnd))) return null;
  return JSON.parse(body) as SharedEntry;
}

function sealed(key: string, body: string): string {
  return `${key.length}:${key}${body}`;
}

function equal(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)];
  return a.length === b.length && timingSafeEqual(a, b);
}
