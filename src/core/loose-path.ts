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
  const folded = path
    .replace(/(?:%[0-9a-f]{2})+/gi, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
    .normalize('NFKC')
    // Both: some letters have one capital and two small forms, some the other way round.
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '');
  return folded.replace(/(?:[;:][^/]*|[. ]+)(?=\/|$)/g, '') as LoosePath;
}
