const charsMax = 128;

/** A login name in the one spelling that is kept (NFC), or a sentence that says what is wrong with it. */
export type CheckedName = { readonly name: string } | { readonly problem: string };

/**
 * Names go into HTTP Basic (no colon, RFC 7617), into paths as one segment (no slash, no dot names) and
 * into header fields of backends (no controls), so what any of them cannot carry is refused.
 */
export function checkUserName(text: string): CheckedName {
  const name = text.normalize('NFC');
  const { length } = Array.from(name);
  if (length < 1 || length > charsMax) return { problem: `A user name has 1 to ${charsMax} characters.` };
  if (/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(name)) {
    return { problem: 'A user name cannot hold control or invisible characters.' };
  }
  if (/[:/\\]/.test(name.normalize('NFKC'))) return { problem: 'A user name cannot hold : / or \\.' };
  if (name.trim() !== name) return { problem: 'A user name cannot begin or end with a space.' };
  const folded = name.normalize('NFKC');
  if (folded === '.' || folded === '..') return { problem: 'A user name cannot be . or ..' };
  return { name };
}
