import { Client, type ClientConfig, TypeOverrides, types } from 'pg';
import type { PostgresConfig } from '../../config/store-config.ts';

/** The oldest PostgreSQL that tells each connection whether it is a standby. */
const versionMin = 14;

/**
 * One connection, which knows what the server has said of itself: PostgreSQL reports these settings when a connection
 * begins and whenever they change.
 */
export class Session extends Client {
  readonly #reported = new Map<string, string>();
  /** By the monotonic clock of this process, in milliseconds; when the server last answered. */
  answeredAt = 0;

  constructor(config?: ClientConfig) {
    super(config);
    this.connection.on('parameterStatus', ({ parameterName, parameterValue }: ParameterStatus) => {
      this.#reported.set(parameterName, parameterValue);
    });
    // What waits for an answer fails by itself; a connection nobody uses may end unheard.
    this.on('error', () => undefined);
    // Where it is we who cannot go on, for want of a password, the server would wait for us, and the process for it.
    this.connection.on('error', () => this.breakOff());
  }

  /** A setting as the server reported it last; an empty text where it has not. */
  reported(name: string): string {
    return this.#reported.get(name) ?? '';
  }

  /** Why this server is not the one to ask, as the end of a sentence; null where it is. */
  refusal(): string | null {
    const version = Number.parseInt(this.reported('server_version'), 10);
    if (version < versionMin) {
      return `is version ${version}, and Latchkey needs ${versionMin} or newer: name a newer server as the store.`;
    }
    if (this.reported('in_hot_standby') === 'on') {
      return 'is a standby, which only follows another server: name the primary as the store.';
    }
    if (this.reported('default_transaction_read_only') === 'on') {
      return 'takes no changes (default_transaction_read_only is on): name the primary as the store, or set it to off.';
    }
    if (this.reported('server_encoding') !== 'UTF8') {
      return `keeps this database in ${this.reported('server_encoding')}: make one with ENCODING 'UTF8'.`;
    }
    return null;
  }

  /** Ends the connection at once, without a word: who waits for an answer fails. */
  breakOff(): void {
    this.connection.stream.destroy();
  }
}

interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}

/** Numbers of 64 bits are epoch milliseconds and counts, far below 2^53: `pg` would make texts of them. */
function numbersAsNumbers(): TypeOverrides {
  const overrides = new TypeOverrides();
  overrides.setTypeParser(types.builtins.INT8, Number);
  return overrides;
}

/** How a connection is made. Nothing is taken from the environment or from files. */
export function sessionSettings(config: PostgresConfig, statementTimeoutMs: number): ClientConfig {
  const { host, port, user, database, password, tls } = config;
  return {
    ...{ host, port, user, database },
    // As a function: a text that is empty would be looked for in the environment.
    password: () => password ?? '',
    // The name that the certificate must have stands here because the socket is already connected when TLS begins.
    ssl: tls === null ? false : { host, ...(tls.ca !== null && { ca: tls.ca }), minVersion: 'TLSv1.2' },
    application_name: 'latchkey',
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: numbersAsNumbers(),
    options: Object.entries(serverSettings(statementTimeoutMs))
      .map(([name, value]) => `-c ${name}=${value.replaceAll(' ', String.raw`\ `)}`)
      .join(' '),
  };
}

/** What holds at the server for each of our connections, whatever is configured there. */
function serverSettings(statementTimeoutMs: number): Readonly<Record<string, string>> {
  return {
    statement_timeout: String(statementTimeoutMs),
    lock_timeout: String(Math.ceil(statementTimeoutMs * 0.8)),
    // A gateway that is stopped or cut off in the middle of a change holds up the others no longer than this.
    idle_in_transaction_session_timeout: String(Math.min(statementTimeoutMs, 2_500)),
    // Each statement must see what was committed while it waited for a lock.
    default_transaction_isolation: 'read committed',
    client_min_messages: 'warning',
    jit: 'off',
  };
}
