import { compatibilityForm } from './compatibility-form.ts';
import type { Branded } from './ids.ts';

/** A path as the most forgiving server reads it; see `loosePath`. */
export type LoosePath = Branded<'LoosePath'>;

/**
 * Reads a decoded path as forgivingly as any server or file system we know of: letters without regard to case, width,
 * composition and invisible ones between them; path parameters and stream names (`;…`, `:…`), and dots and spaces at the
 * end of a segment, cut off; escapes that are left, decoded. Two paths that may be one resource somewhere have one
 * loose form, but for names that a file system makes up (`SECRET~1`). Meant for exclusions, where it refuses more;
 * never for allowing.
 */
export function loosePath(path: string): LoosePath {
  if (!/[^a-z0-9/_.-]|\.(?:\/|$)/.test(path)) return path as LoosePath;
  const decoded = path.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'),
  );
  // Both: some letters have one capital and two small forms, some the other way round.
  const small = compatibilityForm(decoded).toUpperCase().toLowerCase();
  const folded = compatibilityForm(small).replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  return folded.split('/').map(looseSegment).join('/') as LoosePath;
}

/** Cuts off parameters and stream names, and the dots and spaces that then stand at the end; in one pass. */
function looseSegment(segment: string): string {
  const cut = segment.search(/[;:]/);
  let end = cut === -1 ? segment.length : cut;
  while (end > 0 && (segment[end - 1] === '.' || segment[end - 1] === ' ')) end--;
  return segment.slice(0, end);
}
