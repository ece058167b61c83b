import { compatibilityForm } from './compatibility-form.ts';
import type { Branded } from './ids.ts';

/** A login name folded for comparison: equal for all spellings of one name. */
export type UserNameKey = Branded<'UserNameKey'>;

/** Folds a login name (NFKC, lower case), so that `Alice`, `ALICE` and full-width letters are one user. */
export function foldUserName(name: string): UserNameKey {
  // Lower-casing may leave a form that NFKC composes further, hence the second pass.
  return compatibilityForm(compatibilityForm(name).toLowerCase()) as UserNameKey;
}
