import type { Clock } from '../core/clock.ts';
import { systemRandom } from '../core/random.ts';
import { type Announce, createAnnounce } from '../tokens/announce.ts';
import type { Freshness } from '../tokens/freshness.ts';
import { createTokenLifecycle, type TokenLifecycle } from '../tokens/lifecycle.ts';
import type { OpenedRedis } from './redis.ts';
import type { OpenedStore } from './store.ts';

/** The one way to change tokens, and to make known that something changed. */
export interface OpenedLifecycle {
  readonly lifecycle: TokenLifecycle;
  readonly announce: Announce;
}

/** Wires the operations; `freshness` null in a process that verifies nothing. */
export function openLifecycle(
  store: OpenedStore,
  redis: OpenedRedis | null,
  freshness: Freshness | null,
  clock: Clock,
): OpenedLifecycle {
  const announce = createAnnounce({ freshness, announcers: redis === null ? [] : [redis.announcer] });
  const lifecycle = createTokenLifecycle({
    clock,
    randomBytes: systemRandom,
    store: store.tokens,
    peppers: () => store.openPeppers(),
    announce,
    shared: redis?.cache ?? null,
  });
  return { lifecycle, announce };
}
