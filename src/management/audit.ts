import type { Page } from '../core/page.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import type { AuditQuery } from '../tokens/token-store.ts';
import type { Caller } from './caller.ts';
import type { Refused } from './refused.ts';

/** An audit event with the names that people know. */
export interface ShownEvent extends AuditEvent {
  /** The login name of `userId`, also of a removed user; null where there is none. */
  readonly userName: string | null;
}

/** Reads the audit trail: everything for those who manage audit, what concerns themselves for others. */
export interface AuditReading {
  list(caller: Caller, query: AuditQuery): Promise<Page<ShownEvent> | Refused>;
}
