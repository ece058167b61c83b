import type { TokenOrder, TokenQuery } from '../../tokens/token-store.ts';
import { foldText } from '../fold-text.ts';
import { orderKeys, type Place, tokenStates } from '../token-places.ts';

/** The columns of a place. */
export function placeSql(order: TokenOrder): string {
  const { sql } = orderKeys[order];
  return `${sql} IS NULL AS missing, coalesce(${sql}, 0) AS key, t.id AS id`;
}

/** Sorts places as SQLite would: texts by their bytes. */
export function comparePlaces(descending: boolean): (one: Place, other: Place) => number {
  const sign = descending ? -1 : 1;
  return (one, other) =>
    one.missing - other.missing || sign * (compareKeys(one.key, other.key) || compareKeys(one.id, other.id));
}

function compareKeys(one: string | number, other: string | number): number {
  return typeof one === 'string'
    ? Buffer.compare(Buffer.from(one), Buffer.from(String(other)))
    : one - Number(other);
}

/** Which tokens `t` are meant, apart from their owner. */
export interface Conditions {
  readonly where: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

/** What the query asks of a token. */
export function toConditions({ text, state }: TokenQuery, now: number): Conditions {
  const inState = tokenStates[state ?? 'unrevoked'];
  const parameters: Record<string, string | number> = {};
  if (state === 'active' || state === 'expired') parameters['now'] = now;
  if (text === undefined) return { where: inState, parameters };
  // SQLite's own folding knows ASCII alone, and is the quicker by far.
  const fold = /^\p{ASCII}*$/u.test(text) ? 'lower' : 'folded';
  parameters['typed'] = text;
  parameters['text'] = foldText(text);
  const isIn = (column: string): string => `instr(${fold}(${column}), :text) > 0`;
  const named = `${isIn('t.name')} OR ${isIn(`coalesce(t.last_used_client, '')`)}`;
  return {
    where: `${inState} AND (${named} OR substr(t.prefix, 1, length(:typed)) = :typed)`,
    parameters,
  };
}
