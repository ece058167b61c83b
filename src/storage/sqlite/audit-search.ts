import { setImmediate as nextTurn } from 'node:timers/promises';
import type { AuditQuery, TokenStore } from '../../tokens/token-store.ts';
import { emptyPage, readCursor, toPage } from '../cursor.ts';
import type { SqliteDatabase } from './database.ts';
import { toAuditEvent } from '../record-rows.ts';
import type { Row } from '../row.ts';

/** Events looked at before other work gets its turn. */
const rowsAtOnce = 2_000;

/** Searches the audit trail from its end, portion by portion, until the page is full. */
export function createAuditSearch(database: SqliteDatabase): TokenStore['searchAudit'] {
  return async (query) => {
    const after = query.after === undefined ? [Number.MAX_SAFE_INTEGER] : readCursor(query.after, ['number']);
    if (after === null) return emptyPage;
    const { leading, others, parameters } = toConditions(query);
    const within = `FROM audit WHERE ${leading.sql} AND seq < :from`;
    const end = database.prepare(`SELECT seq ${within} ORDER BY seq DESC LIMIT 1 OFFSET ${rowsAtOnce - 1}`);
    const portion = database.prepare(`
      SELECT * ${within} AND seq >= :to AND ${others} ORDER BY seq DESC LIMIT :limit`);
    const found: Row[] = [];
    for (let from = Number(after[0]); from > 0; ) {
      const to = database.read(() => Number(end.get({ ...leading.parameters, from })?.['seq'] ?? 0));
      const limit = query.limit + 1 - found.length;
      found.push(
        ...database.read(() => portion.all({ ...leading.parameters, ...parameters, from, to, limit })),
      );
      if (found.length > query.limit) break;
      from = to;
      await nextTurn();
    }
    const page = toPage(found, query.limit, (row) => [Number(row['seq'])]);
    return { ...page, items: page.items.map(toAuditEvent) };
  };
}

type Parameters = Record<string, string | number>;

interface Conditions {
  /** The one by whose index the trail is read, in its order. */
  readonly leading: { readonly sql: string; readonly parameters: Parameters };
  readonly others: string;
  readonly parameters: Parameters;
}

function toConditions(query: AuditQuery): Conditions {
  const { tokenId, userId, actor, action, from, before } = query;
  const isKind = action?.endsWith('.') === true;
  const equal: readonly (readonly [column: string, value: string | undefined])[] = [
    ['token_id', tokenId],
    ['user_id', userId],
    ['actor', actor],
    ['action', isKind ? undefined : action],
  ];
  const given = equal.flatMap(([column, value]) => (value === undefined ? [] : [[column, value] as const]));
  const [first, ...rest] = given;
  // The plus keeps SQLite from choosing another index, which would have to be sorted.
  const others = rest.map(([column]) => `+${column} = :${column}`);
  const parameters: Parameters = Object.fromEntries(rest);
  const add = (sql: string, name: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    others.push(sql);
    parameters[name] = value;
  };
  add('+at >= :since', 'since', from);
  add('+at < :before', 'before', before);
  add('substr(action, 1, length(:kind)) = :kind', 'kind', isKind ? action : undefined);
  return {
    leading:
      first === undefined
        ? { sql: 'TRUE', parameters: {} }
        : { sql: `${first[0]} = :leading`, parameters: { leading: first[1] } },
    others: ['TRUE', ...others].join(' AND '),
    parameters,
  };
}
