import type { Change } from '../core/change.ts';
import type { ChangeAnnouncer } from './change-feed.ts';
import type { Freshness } from './freshness.ts';

/** Makes known what the store has already committed. Never rejects: the journal carries it in any case. */
export type Announce = (changes: readonly Change[]) => Promise<void>;

interface AnnounceDeps {
  /** Null in a process that verifies nothing (a command). */
  readonly freshness: Pick<Freshness, 'apply'> | null;
  readonly announcers: readonly ChangeAnnouncer[];
}

/** This process first and at once, then the channels beside the journal. */
export function createAnnounce({ freshness, announcers }: AnnounceDeps): Announce {
  return async (changes) => {
    if (changes.length === 0) return;
    freshness?.apply(changes);
    await Promise.all(announcers.map((announcer) => announcer.announce(changes)));
  };
}
