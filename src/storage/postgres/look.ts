import { type PostgresConfig, storeName } from '../../config/store-config.ts';
import type { Clock } from '../../core/clock.ts';
import { assertUsable, postgresSchemaVersion, standingOf } from './migrations.ts';
import { storeFault, toFault } from './postgres-fault.ts';
import { Session, sessionSettings } from './session.ts';

/** What a database and its server say of themselves. */
export interface PostgresReport {
  readonly version: string;
  readonly roundTripMs: number;
  /** 'new': without tables, which this user may make; 'older': they are brought up to date at the next start. */
  readonly state: 'new' | 'current' | 'older';
  /** False where a search for a text looks at every row. */
  readonly findsTextsByIndex: boolean;
  /** False where a crash of the server may lose what it has confirmed, or all. */
  readonly keepsWhatItConfirms: boolean;
}

/**
 * Connects, looks, and changes nothing. Rejects with `Fault('store_unavailable')` where the database cannot be used as the
 * store.
 */
export async function lookAtPostgres(config: PostgresConfig, clock: Clock): Promise<PostgresReport> {
  const name = storeName(config);
  const session = new Session(sessionSettings(config, config.statementTimeoutMs));
  const timer = setTimeout(() => session.breakOff(), config.connectTimeoutMs + config.statementTimeoutMs);
  try {
    await session.connect();
    const refusal = session.refusal();
    if (refusal !== null) throw storeFault(name, refusal);
    const began = clock.monotonic();
    const { rows } = await session.query<Looks>(looksSql);
    const roundTripMs = clock.monotonic() - began;
    const standing = await standingOf(session);
    assertUsable(standing, name);
    const isNew = standing.ours === null;
    const [looks] = rows;
    if (isNew && looks?.maymake !== true) {
      const sentence = `does not let this user make tables in the schema ${standing.schema}: make it the owner of the database.`;
      throw storeFault(name, sentence);
    }
    return {
      version: session.reported('server_version'),
      roundTripMs,
      state: isNew ? 'new' : standing.ours?.version === postgresSchemaVersion ? 'current' : 'older',
      findsTextsByIndex: isNew ? looks?.hastrigrams === true : looks?.hastexts === true,
      keepsWhatItConfirms: looks?.iskept === true,
    };
  } catch (error) {
    throw toFault(error, name);
  } finally {
    clearTimeout(timer);
    await session.end().catch(() => undefined);
    session.breakOff();
  }
}

interface Looks {
  readonly maymake: boolean | null;
  readonly hastrigrams: boolean;
  readonly hastexts: boolean;
  readonly iskept: boolean;
}

const looksSql = `
  SELECT has_schema_privilege(current_schema(), 'CREATE') AS mayMake,
    EXISTS (SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm')
      OR has_database_privilege(current_database(), 'CREATE')
        AND EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm') AS hasTrigrams,
    to_regclass('token_texts') IS NOT NULL AND to_regclass('user_texts') IS NOT NULL AS hasTexts,
    current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on' AS isKept`;
