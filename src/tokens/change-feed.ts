import type { Change } from '../core/change.ts';

/** What a feed tells its listener. */
export interface ChangeListener {
  /** These tokens or users changed; called at once, before `heard`. */
  changed(changes: readonly Change[]): void;
  /** The channel is alive and nothing before this moment is missing from it. */
  heard(): void;
  /** Something may have been missed: nothing cached before this moment counts. */
  gap(): void;
}

/**
 * A channel that carries changes to every process: the store's journal, or Redis.
 * A feed that cannot be heard stays silent; it never throws at its listener.
 */
export interface ChangeFeed {
  readonly name: string;
  /** Starts listening; resolves once the first state is known or the first try has failed. */
  start(listener: ChangeListener): Promise<void>;
  stop(): Promise<void>;
}

/** Sends changes on, after the store has them. Resolves false where the channel did not take them. */
export interface ChangeAnnouncer {
  announce(changes: readonly Change[]): Promise<boolean>;
}
