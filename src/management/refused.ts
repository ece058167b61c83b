import type { TokenRefusal } from '../tokens/token-settings.ts';
import type { UserRefusal } from '../identity/user-refusal.ts';

/** An expected no of this folder: which rule, and a sentence that says what to do instead. */
export interface ManagementRefusal {
  readonly kind: 'refused';
  readonly code: /** Proof of presence is older than allowed: confirm, then ask again. */
    | 'confirmation_needed'
    /** The caller's role or key does not reach that far. */
    | 'not_allowed'
    /** There is no such thing, or it is somebody else's: the two cannot be told apart. */
    | 'not_found'
    /** It has changed since it was read (RFC 9110 section 13.1.1). */
    | 'stale'
    /** The request's fields cannot be understood. */
    | 'bad_request'
    /** The current password, asked for to choose another, is not the one given. */
    | 'wrong_password'
    /** Too many wrong passwords: the detail says how long to wait. */
    | 'throttled'
    /** It contradicts what there is: the last admin cannot go, a local password of somebody from elsewhere … */
    | 'conflict';
  readonly detail: string;
}

/** Every expected no that a page or the API has to answer. */
export type Refused = ManagementRefusal | TokenRefusal | UserRefusal;

/** Makes a refusal; the detail names the next step. */
export function refused(code: ManagementRefusal['code'], detail: string): ManagementRefusal {
  return { kind: 'refused', code, detail };
}

/** Whether an answer is a no. */
export function isRefused(answer: object): answer is Refused {
  return 'kind' in answer && answer.kind === 'refused';
}

/** Proof of presence is asked for before anything is looked up. */
export const confirmationNeeded: ManagementRefusal = refused(
  'confirmation_needed',
  'Confirm that it is you, then try again.',
);
/** The caller manages nothing of this kind. */
export const notAllowed: ManagementRefusal = refused(
  'not_allowed',
  'This needs an administrator, or an admin key that reaches so far.',
);
/** No such user, or none of the caller's. */
export const noSuchUser: ManagementRefusal = refused('not_found', 'There is no such user.');
/** No such token, or none of the caller's. */
export const noSuchToken: ManagementRefusal = refused('not_found', 'There is no such token.');
/** No such session, or none of the caller's. */
export const noSuchSession: ManagementRefusal = refused('not_found', 'There is no such session.');

const pageMax = 1_000;

/** Why a page of this size cannot be had, or null. */
export function pageRefusal({ limit }: { readonly limit: number }): ManagementRefusal | null {
  if (Number.isInteger(limit) && limit >= 1 && limit <= pageMax) return null;
  return refused('bad_request', `A page holds 1 to ${pageMax} entries.`);
}
