import type { UserId } from '../../core/ids.ts';
import type { ApiContext } from './api-context.ts';

/** A user in an address or a filter: an id, or whoever is signed in. */
export type UserReference = UserId | 'me';

/** The user meant; null where `me` is asked by a key, which is nobody. */
export function userMeant(c: ApiContext, reference: UserReference): UserId | null {
  if (reference !== 'me') return reference;
  const caller = c.get('caller');
  return caller.kind === 'person' ? caller.user.id : null;
}
