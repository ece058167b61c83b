import type { Config } from '../../config/config.ts';
import { type PostgresConfig, storeName } from '../../config/store-config.ts';
import { fail, type Finding, ok, warn } from './finding.ts';
import { type TableState, tableStates } from './table-states.ts';

/** What PostgreSQL says of itself. */
export interface PostgresReport {
  readonly version: string;
  readonly roundTripMs: number;
  readonly state: TableState;
  readonly findsTextsByIndex: boolean;
  readonly keepsWhatItConfirms: boolean;
}

/** The database, without changing anything in it. `look` rejects with a sentence that holds no secret. */
export async function checkPostgres(
  { peppers }: Pick<Config, 'peppers'>,
  store: PostgresConfig,
  look: (store: PostgresConfig) => Promise<PostgresReport>,
): Promise<readonly Finding[]> {
  const subject = `store ${storeName(store)}`;
  let report: PostgresReport;
  try {
    report = await look(store);
  } catch (error) {
    const message = error instanceof Error ? error.message : 'cannot be asked';
    return [
      fail(subject, message, 'correct that first; docs/postgresql.md says what the database must be like'),
    ];
  }
  const { version, roundTripMs, state } = report;
  const findings = [
    ok(subject, `answers in ${roundTripMs.toFixed(1)} ms, version ${version}; ${tableStates[state]}`),
  ];
  if (!report.keepsWhatItConfirms) {
    const message = 'fsync or full_page_writes is off: a crash there may lose tokens and revocations';
    findings.push(warn(subject, message, 'set both to on in postgresql.conf'));
  }
  if (!report.findsTextsByIndex) {
    const message = 'searches for a text look at every row: the extension pg_trgm or its indexes are missing';
    findings.push(
      warn(subject, message, 'make them as docs/postgresql.md says, where there are many tokens'),
    );
  }
  if (store.tls === null && !isHere(store.host)) {
    const message =
      'is spoken to in the clear: who listens in between reads what it keeps, and can change it';
    findings.push(warn(subject, message, 'set `tls` of `store`, unless the network between is trusted'));
  }
  if (peppers === null) {
    const message = 'the pepper stands in dataDir, and every gateway on this database needs the same one';
    findings.push(warn(subject, message, 'give them `peppers` in the configuration, or copy the file'));
  }
  return findings;
}

function isHere(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || /^127\./.test(host);
}
