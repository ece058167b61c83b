import type { PostgresConfig } from '../../config/store-config.ts';
import { storeName } from '../../config/store-config.ts';
import { storeFault, toConnectFault } from './postgres-fault.ts';
import { Session, sessionSettings } from './session.ts';

/** What goes through whole tables may take this long at a time; between two, nothing presses. */
const statementMsMax = 10 * 60_000;
/** A server that is busy with what was just put into it may take its time, where no request waits. */
const connectMsMax = 15_000;

/**
 * A connection for work on a whole store, beside those of gateways and more patient than they.
 * Rejects with `Fault('store_unavailable')` where the database cannot be reached, or takes no changes.
 */
export async function connectPatiently(config: PostgresConfig): Promise<Session> {
  const name = storeName(config);
  const session = new Session({
    ...sessionSettings(config, statementMsMax),
    connectionTimeoutMillis: Math.max(config.connectTimeoutMs, connectMsMax),
    query_timeout: statementMsMax,
  });
  try {
    await session.connect();
    const refusal = session.refusal();
    if (refusal !== null) throw storeFault(name, refusal);
    await session.query('SET idle_in_transaction_session_timeout = 0');
    return session;
  } catch (error) {
    session.breakOff();
    throw toConnectFault(error, name);
  }
}
