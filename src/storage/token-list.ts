import type { TokenFilter } from '../tokens/token-store.ts';

const listMaxDefault = 1_000;

/** What a filter asks of a token `t`, with `:limit` among the parameters. */
export function toListCondition(filter: TokenFilter): {
  readonly where: string;
  readonly parameters: Record<string, string | number>;
} {
  const conditions = ['TRUE'];
  const parameters: Record<string, string | number> = { limit: filter.limit ?? listMaxDefault };
  const add = (condition: string, name: string, value: string | number | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    parameters[name] = value;
  };
  add('t.user_id = :userId', 'userId', filter.userId);
  add('t.id < :after', 'after', filter.after);
  add(
    't.revoked_at IS NULL AND coalesce(t.last_used_at, t.created_at) < :unusedSince',
    'unusedSince',
    filter.unusedSince,
  );
  add(
    `t.revoked_at IS NULL AND t.delete_unused_ms IS NOT NULL
      AND coalesce(t.last_used_at, t.created_at) + t.delete_unused_ms <= :endedUnusedAt`,
    'endedUnusedAt',
    filter.endedUnusedAt,
  );
  if (filter.includeRevoked !== true) conditions.push('t.revoked_at IS NULL');
  return { where: conditions.join(' AND '), parameters };
}
