import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Closers } from './closers.ts';
import type { Place } from './place.ts';

/** What everything that is opened stands on. */
export interface Ground {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  /** Whoever opens something registers here how it is closed. */
  readonly closers: Closers;
  /** Null: this process is the whole gateway. */
  readonly place: Place | null;
}
