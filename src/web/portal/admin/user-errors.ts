import type { Refused } from '../../../management/refused.ts';
import type { FieldError } from '../fields.ts';
import type { Frame } from '../frame.ts';

/** The field that a refusal is about; null where it is about none. */
export function userError(frame: Frame, { code, detail }: Refused): FieldError | null {
  const fields: Readonly<Record<string, string>> = {
    bad_name: 'name',
    name_taken: 'name',
    bad_display_name: 'displayName',
    bad_email: 'email',
    conflict: 'role',
  };
  const field = fields[code];
  return field === undefined ? null : { field, message: frame.texts.refusal(code, detail) };
}
