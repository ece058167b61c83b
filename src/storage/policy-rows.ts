import { type KeptPolicy, openPolicy, type TokenPolicy } from '../tokens/policy.ts';
import type { Row } from './row.ts';

/** The row of `token_policy`, where there is one, as the rest of the product knows it. */
export function toPolicy(row: Row | undefined): KeptPolicy {
  if (row === undefined) return { policy: openPolicy, version: 0, changedAt: null, changedBy: null };
  return {
    // What a policy written by an older Latchkey does not say is open.
    policy: { ...openPolicy, ...(JSON.parse(String(row['body'])) as Partial<TokenPolicy>) },
    version: Number(row['version']),
    changedAt: Number(row['changed_at']),
    changedBy: String(row['changed_by']),
  };
}
