import type { SqliteDatabase } from './database.ts';

/** As many rows as one statement may look at before other work gets its turn. */
export const fewRowsMax = 2_000;

/** Every three characters in a row, as a question to a trigram index; null where there are no three. */
export function trigrams(text: string): string | null {
  const characters = Array.from(text.normalize('NFC'));
  if (characters.length < 3) return null;
  const terms = characters.slice(2).map((_character, at) => characters.slice(at, at + 3).join(''));
  return [...new Set(terms)].map((term) => `"${term.replaceAll('"', '""')}"`).join(' AND ');
}

/**
 * The rowids, as JSON, of the first source that names few of them; null where none does. A source is a SELECT of
 * `rowid` that an index answers; `:terms` stands for the trigrams.
 */
export function findFewRows(
  database: SqliteDatabase,
  sources: readonly string[],
  terms: string | null,
): string | null {
  for (const source of sources) {
    const statement = database.prepare(`
      SELECT count(*) AS count, json_group_array(rowid) AS rows FROM (${source} LIMIT ${fewRowsMax + 1})`);
    const parameters: Record<string, string> = source.includes(':terms') ? { terms: terms ?? '' } : {};
    const found = database.read(() => statement.get(parameters));
    if (Number(found?.['count']) <= fewRowsMax) return String(found?.['rows']);
  }
  return null;
}
