import type { AuditQuery, TokenStore } from '../../tokens/token-store.ts';
import { emptyPage, readCursor, toPage } from '../cursor.ts';
import { toAuditEvent } from '../record-rows.ts';
import type { PostgresDatabase } from './database.ts';
import { planned } from './statement.ts';

/** Searches the audit trail from its end. */
export function createAuditSearch(database: PostgresDatabase): TokenStore['searchAudit'] {
  return async (query) => {
    const after = query.after === undefined ? [Number.MAX_SAFE_INTEGER] : readCursor(query.after, ['number']);
    if (after === null) return emptyPage;
    const { where, parameters } = toConditions(query);
    const statement = planned(`
      SELECT * FROM audit WHERE seq < :behind AND ${where} ORDER BY seq DESC LIMIT :limit`);
    const limits = { behind: Number(after[0]), limit: query.limit + 1 };
    const rows = await database.slowly.rows(statement, { ...parameters, ...limits });
    const page = toPage(rows, query.limit, (row) => [Number(row['seq'])]);
    return { ...page, items: page.items.map(toAuditEvent) };
  };
}

function toConditions({ tokenId, userId, actor, action, from, before }: AuditQuery): {
  readonly where: string;
  readonly parameters: Record<string, string | number>;
} {
  const isKind = action?.endsWith('.') === true;
  const conditions = ['TRUE'];
  const parameters: Record<string, string | number> = {};
  const add = (sql: string, name: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    conditions.push(sql);
    parameters[name] = value;
  };
  add('token_id = :tokenId', 'tokenId', tokenId);
  add('user_id = :userId', 'userId', userId);
  add('actor = :actor', 'actor', actor);
  add('action = :action', 'action', isKind ? undefined : action);
  add('starts_with(action, :kind)', 'kind', isKind ? action : undefined);
  add('at >= :since', 'since', from);
  add('at < :before', 'before', before);
  return { where: conditions.join(' AND '), parameters };
}
