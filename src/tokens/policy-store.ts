import type { AuditEvent } from '../telemetry/audit.ts';
import type { KeptPolicy, TokenPolicy } from './policy.ts';

/** Keeps the one policy. Throws `Fault('store_unavailable')` where the store cannot be asked. */
export interface PolicyStore {
  /** `openPolicy` at version 0 where none was ever made. */
  read(): Promise<KeptPolicy>;
  /** Resolves to the new one, or null, changing nothing, where the version is no longer `ifVersion`. */
  replace(policy: TokenPolicy, ifVersion: number, event: AuditEvent): Promise<KeptPolicy | null>;
}
