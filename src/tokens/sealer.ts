import { openSealedText, sealText, type SealingKey } from '../core/sealed-text.ts';
import type { PepperId } from '../core/ids.ts';
import type { Peppers } from './digest.ts';

/** Seals what is kept in the store or a cookie and read by nobody but us. */
export interface Sealer {
  /** `context` says what it is for; only the same one opens it. */
  seal(context: string, text: string): string;
  /** Null for what was not sealed for this context under a pepper that is known. */
  open(context: string, sealed: string): string | null;
}

/** Keys are derived from the peppers, which are not in the store: whoever reads that alone opens nothing. */
export function createSealer(peppers: Peppers): Sealer {
  const keyOf = (pepperId: PepperId): SealingKey | null => {
    const key = peppers.derive('seal', pepperId, 'key');
    return key === null ? null : (Buffer.from(key, 'base64url') as Uint8Array as SealingKey);
  };
  return {
    seal(context, text) {
      const key = keyOf(peppers.current);
      if (key === null) throw new TypeError('The current pepper is always known.');
      return `${peppers.current}.${sealText(key, context, text)}`;
    },
    open(context, sealed) {
      const at = sealed.indexOf('.');
      const key = at === -1 ? null : keyOf(sealed.slice(0, at) as PepperId);
      return key === null ? null : openSealedText(key, context, sealed.slice(at + 1));
    },
  };
}
