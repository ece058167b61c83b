import { checkDecodedPath } from '../core/path.ts';

/**
 * Judges a tus Upload-Metadata field (tus 1.0.0, creation extension): `fine` where every name in it is one
 * plain segment, `elsewhere` where a name is a path (some servers create the file there, outside what the
 * URL shows), `malformed` where the field does not follow its grammar.
 */
export function judgeUploadMetadata(field: string): 'fine' | 'elsewhere' | 'malformed' {
  const seen = new Set<string>();
  let verdict: 'fine' | 'elsewhere' = 'fine';
  for (const pair of field.split(',')) {
    const found = pairPattern.exec(pair);
    const key = found?.[1]?.toLowerCase();
    if (key === undefined || seen.has(key)) return 'malformed';
    seen.add(key);
    if (!nameKeys.has(key)) continue;
    const name = decodeBase64(found?.[2] ?? '');
    if (name === null) return 'malformed';
    if (!isOneSegment(name)) verdict = 'elsewhere';
  }
  return verdict;
}

/** Keys under which known servers take the name or folder of the new file. */
const nameKeys: ReadonlySet<string> = new Set(['filename', 'name', 'relativepath', 'path', 'dir']);

const pairPattern = /^[ \t]*([\x21-\x2b\x2d-\x7e]+)(?: ([A-Za-z0-9+/]*={0,2}))?[ \t]*$/;

function decodeBase64(text: string): string | null {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) return null;
  const decoded = bytes.toString('utf8');
  return Buffer.from(decoded, 'utf8').equals(bytes) ? decoded : null;
}

function isOneSegment(name: string): boolean {
  return name === '' || (!name.includes('/') && typeof checkDecodedPath(`/${name}`) === 'string');
}
