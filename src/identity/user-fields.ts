const nameCharsMax = 120;
const emailCharsMax = 254;

/** A text in the form that is kept, null for none, or a sentence that says what is wrong with it. */
export type CheckedField = { readonly value: string | null } | { readonly problem: string };

/** A name for people to read: one line, at most 120 characters; blank is none. */
export function checkDisplayName(text: string | null): CheckedField {
  const value = text?.normalize('NFC').trim() ?? '';
  if (value === '') return { value: null };
  if (Array.from(value).length <= nameCharsMax && !/[\p{C}\p{Zl}\p{Zp}]/u.test(value)) return { value };
  return { problem: `A display name has at most ${nameCharsMax} printable characters.` };
}

/** One mail address without a name (RFC 5321 section 4.5.3.1 bounds its length); blank is none. */
export function checkEmail(text: string | null): CheckedField {
  const value = text?.trim() ?? '';
  if (value === '') return { value: null };
  // What separates or quotes addresses in a header would make two of one.
  const isOne = /^[^\s@,;:<>()[\]\\"\p{C}]+@[^\s@,;:<>()[\]\\"\p{C}]+$/u.test(value);
  if (isOne && value.length <= emailCharsMax) return { value };
  return { problem: 'That is no mail address: write it as name@example.org.' };
}
