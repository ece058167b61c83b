import type { TokenStore, TokenUse } from '../../tokens/token-store.ts';
import type { PostgresDatabase } from './database.ts';
import { prepared } from './statement.ts';
import { clientKey } from './token-rows.ts';

/** In one order, so that two processes that write uses of the same tokens do not wait for each other. */
const lock = prepared('SELECT 1 FROM tokens WHERE id = ANY(:ids::text[]) ORDER BY id FOR NO KEY UPDATE');

/**
 * A use counts only for a token that is alive at `now`: the dead never revive. A late, older use moves
 * nothing back.
 */
const record = prepared(`
  UPDATE tokens t SET
    last_used_at = greatest(t.last_used_at, used.at),
    last_used_address = CASE WHEN used.at >= coalesce(t.last_used_at, 0) THEN used.address ELSE t.last_used_address END,
    last_used_client = CASE WHEN used.at >= coalesce(t.last_used_at, 0) THEN used.client ELSE t.last_used_client END,
    client_key = CASE WHEN used.at >= coalesce(t.last_used_at, 0) THEN used.client_key ELSE t.client_key END,
    expires_at = CASE
      WHEN t.sliding_ms IS NULL OR t.expires_at IS NULL THEN t.expires_at
      ELSE greatest(t.expires_at, least(used.at + t.sliding_ms, coalesce(t.until, used.at + t.sliding_ms)))
    END
  FROM unnest(:ids::text[], :ats::bigint[], :addresses::text[], :clients::text[], :clientKeys::text[])
    AS used (id, at, address, client, client_key)
  WHERE t.id = used.id AND t.revoked_at IS NULL
    AND (t.expires_at IS NULL OR t.expires_at > :now)
    AND (t.delete_unused_ms IS NULL OR coalesce(t.last_used_at, t.created_at) + t.delete_unused_ms > :now)`);

/** Writes last uses, all in one statement. */
export function createUseRecorder(database: PostgresDatabase): TokenStore['recordUses'] {
  return async (uses, now) => {
    if (uses.length === 0) return;
    await database.write(async (transaction) => {
      for (const round of rounds(uses)) {
        const ids = round.map(({ tokenId }) => tokenId);
        await transaction.rows(lock, { ids });
        await transaction.run(record, {
          ids,
          // A use from the future (a clock that stepped back since) would keep the token alive too long.
          ats: round.map(({ at }) => Math.min(at, now)),
          addresses: round.map(({ address }) => address),
          clients: round.map(({ client }) => client),
          clientKeys: round.map(({ client }) => clientKey(client)),
          now,
        });
      }
    }, 'relaxed');
  };
}

/** In each round every token once: one statement writes a row once. */
function rounds(uses: readonly TokenUse[]): readonly (readonly TokenUse[])[] {
  const found: TokenUse[][] = [];
  const met = new Map<string, number>();
  for (const use of uses) {
    const times = met.get(use.tokenId) ?? 0;
    met.set(use.tokenId, times + 1);
    (found[times] ??= []).push(use);
  }
  return found;
}
