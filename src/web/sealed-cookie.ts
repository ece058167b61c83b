import type { Clock } from '../core/clock.ts';
import type { Sealer } from '../tokens/sealer.ts';
import type { WebContext } from './context.ts';
import { clearCookie, readCookie, writeCookie } from './cookies.ts';

/** Keeps a text at the browser for a while, unreadable and unchangeable there. */
export interface SealedCookie {
  set(c: WebContext, text: string): void;
  /** The text while it holds, else null; taken away from the browser either way. */
  take(c: WebContext): string | null;
}

/** A sign-in under way at a provider: state, nonce and code verifier. */
export function createPendingCookie(deps: {
  readonly sealer: Sealer;
  readonly clock: Clock;
  readonly maxAgeMs: number;
}): SealedCookie {
  const { sealer, clock, maxAgeMs } = deps;
  return {
    set(c, text) {
      const sealed = sealer.seal(context, JSON.stringify([clock.now() + maxAgeMs, text]));
      writeCookie(c, 'pending', sealed, maxAgeMs);
    },
    take(c) {
      const sealed = readCookie(c, 'pending');
      if (sealed === null) return null;
      clearCookie(c, 'pending');
      const opened = sealer.open(context, sealed);
      if (opened === null) return null;
      const [endsAt, text] = JSON.parse(opened) as readonly [number, string];
      return endsAt > clock.now() ? text : null;
    },
  };
}

const context = 'pending sign-in';
