import { type CheckedField, checkDisplayName, checkEmail } from './user-fields.ts';
import { refuseUser, type UserRefusal } from './user-refusal.ts';
import type { UserPatch } from './user-store.ts';

/** What people and admins change about a user; absent fields stay. */
export type UserEdit = Pick<
  UserPatch,
  'displayName' | 'email' | 'language' | 'role' | 'disabled' | 'mayHaveTokens'
>;

/** The edit with display name and mail address in the form that is kept, or why they cannot be. */
export function checkDetails<Edit extends UserEdit>(
  edit: Edit,
  holdsToken: (text: string) => boolean,
): Edit | UserRefusal {
  const isToken = (text: string | null | undefined): boolean => typeof text === 'string' && holdsToken(text);
  if (isToken(edit.displayName)) return refuseUser('bad_display_name', fieldIsToken);
  if (isToken(edit.email)) return refuseUser('bad_email', fieldIsToken);
  const displayName: CheckedField =
    edit.displayName === undefined ? { value: null } : checkDisplayName(edit.displayName);
  if ('problem' in displayName) return refuseUser('bad_display_name', displayName.problem);
  const email: CheckedField = edit.email === undefined ? { value: null } : checkEmail(edit.email);
  if ('problem' in email) return refuseUser('bad_email', email.problem);
  return {
    ...edit,
    ...(edit.displayName === undefined ? {} : { displayName: displayName.value }),
    ...(edit.email === undefined ? {} : { email: email.value }),
  };
}

/** By what name the audit trail knows such a change: the gravest of it. */
export function changeAction({ disabled, role, mayHaveTokens, language }: UserEdit): string {
  if (disabled !== undefined) return disabled ? 'user.disable' : 'user.enable';
  if (role !== undefined) return 'user.role';
  if (mayHaveTokens !== undefined) return 'user.tokens';
  return language === undefined ? 'user.edit' : 'user.language';
}

const fieldIsToken =
  'What is given is or holds the value of a token, and it would be kept in clear: revoke that token if others saw it.';
