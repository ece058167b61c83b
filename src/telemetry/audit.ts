import type { TokenId, UserId } from '../core/ids.ts';

/** What happened, for the audit trail; kept in the same transaction as the change it tells of. */
export interface AuditEvent {
  readonly at: number;
  /** `token.create`, `token.revoke`, `user.disable` … */
  readonly action: string;
  /** Who did it: `cli:root`, `gateway`, later a user. */
  readonly actor: string;
  readonly userId: UserId | null;
  readonly tokenId: TokenId | null;
  /** Plain facts without secrets. */
  readonly details: Readonly<Record<string, unknown>>;
}
