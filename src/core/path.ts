import type { Branded } from './ids.ts';

/** A path decoded once and checked, for comparison only: what is forwarded are the original bytes. */
export type CanonicalPath = Branded<'CanonicalPath'>;
