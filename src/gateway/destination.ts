import { readOwnUrl } from './own-url.ts';
import type { OwnResource } from './own-url.ts';

/**
 * Reads a Destination field (RFC 4918 section 10.3): one absolute path or URL on `host`, or null.
 * Two values joined by a comma are refused even without the space an intermediary puts between them.
 */
export function parseDestination(field: string, host: string): OwnResource | null {
  if (/,(?:\/|https?:)/i.test(field)) return null;
  return readOwnUrl(field, host);
}
