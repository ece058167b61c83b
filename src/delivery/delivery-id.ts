import { createHash } from 'node:crypto';
import type { DueWarning } from '../tokens/warning-store.ts';

/** The same for every delivery of one warning, so that receivers can tell that they have seen it. */
export function deliveryId({ owned: { token }, days, channel }: DueWarning): string {
  const parts = [token.id, token.expiresAt, days, channel].join(' ');
  return createHash('sha256').update(parts).digest('base64url').slice(0, 32);
}
