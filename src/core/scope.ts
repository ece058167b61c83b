import type { CanonicalPath } from './path.ts';

/** Read, write or both. */
export interface Access {
  readonly read: boolean;
  readonly write: boolean;
}

/** What a token may do; a token holds several and may do what any one of them allows. */
export type Scope =
  | { readonly kind: 'everything' }
  | { readonly kind: 'path'; readonly path: CanonicalPath; readonly folder: boolean; readonly access: Access }
  | { readonly kind: 'node'; readonly node: string; readonly access: Access }
  | { readonly kind: 'route'; readonly route: string; readonly access: Access };
