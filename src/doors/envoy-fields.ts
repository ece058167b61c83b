import type { Allowance, Asked } from './ask.ts';

/** Header fields for Envoy to set, flat, and names for it to remove, lower case. No name is in both. */
export interface SettledFields {
  readonly set: string[];
  readonly removed: string[];
}

/**
 * What a decision rests on. Envoy shows what its configuration names, may join lines of one name, and forwards what the
 * client has sent.
 */
const decisive = ['destination', 'if', 'depth', 'overwrite', 'upload-metadata'] as const;

/** Removed unless the answer sets them: other methods than the one decided on, and what may hold secrets. */
const never = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'authorization',
  'proxy-authorization',
  'cookie',
  'referer',
] as const;

/**
 * What Envoy has to change on a request that was allowed, so that the backend gets the request that was decided on:
 * identity is set, credentials go, a decisive field that was shown stands once and as it was looked at, and one that was
 * not shown is removed, because nobody looked at it.
 */
export function settledFields({ fields, removed }: Allowance, { rawHeaders }: Asked): SettledFields {
  const set = [...fields];
  const going = new Set<string>(never);
  for (const name of removed) going.add(name.toLowerCase());
  for (const name of decisive) {
    // Destination and If may have been put into the words of the backend.
    if (going.has(name) || valueOf(fields, name) !== null) continue;
    const value = valueOf(rawHeaders, name);
    if (value === null) going.add(name);
    else set.push(name, value);
  }
  for (let at = 0; at < set.length; at += 2) going.delete((set[at] as string).toLowerCase());
  return { set, removed: [...going] };
}

/** Such a field stands once in what was allowed, and in what is set. */
function valueOf(flat: readonly string[], lowerName: string): string | null {
  for (let at = 0; at < flat.length; at += 2) {
    if (flat[at]?.toLowerCase() === lowerName) return flat[at + 1] as string;
  }
  return null;
}
