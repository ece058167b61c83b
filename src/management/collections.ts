import type { Person } from './caller.ts';
import type { Refused } from './refused.ts';

/** A folder of a backend. */
export interface Collection {
  /** Decoded, begins and ends with a slash: what goes into a `path:` scope. */
  readonly path: string;
  readonly name: string;
}

/** A route whose folders can be looked through. */
export interface BrowsableRoute {
  readonly name: string;
  /** Where to begin: the route's path, decoded. */
  readonly path: string;
  /** The host whose route it is; null: any. */
  readonly host: string | null;
}

/** Looks through the folders of backends with the person's own rights, so that nobody sees more than by the front door. */
export interface Collections {
  /** WebDAV and CalDAV routes. */
  routes(): readonly BrowsableRoute[];
  /**
   * The folders within a folder, by name. `host`: the authority by which the person reached us, or the route's own.
   * 'not_found' where the backend shows none there to this person, 'conflict' where there are too many to show; rejects with
   * the Fault of a backend that cannot be asked or is broken (5xx).
   */
  within(person: Person, host: string, path: string): Promise<readonly Collection[] | Refused>;
}

/** The places to begin at for somebody who reaches us by this authority. */
export function placesOn(collections: Collections, host: string): readonly BrowsableRoute[] {
  return collections.routes().filter((place) => place.host === null || place.host === host);
}

/** The place that a folder belongs to, by the longest path above it; null where it belongs to none. */
export function placeOf(places: readonly BrowsableRoute[], path: string): BrowsableRoute | null {
  const above = places.filter((place) => path.startsWith(place.path));
  return above.toSorted((one, other) => other.path.length - one.path.length)[0] ?? null;
}
