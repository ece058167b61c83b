import type { Registry } from 'prom-client';
import { exposeCounter, exposeGauge } from './exposition.ts';

/** How TLS with clients is doing. */
export interface TlsState {
  /** When the certificate shown to clients expires, epoch milliseconds. */
  readonly expiresMs: number;
  /** False while its files hold what cannot be shown, so that a former one is. */
  readonly isCurrent: boolean;
  /** Handshakes that came to nothing so far. */
  readonly handshakesFailed: number;
}

/** Registers what is known of TLS; nothing is exposed while `state` says null. */
export function exposeTls(registry: Registry, state: () => TlsState | null): void {
  exposeGauge(
    registry,
    'latchkey_tls_certificate_expiry_timestamp_seconds',
    'When the certificate shown to clients expires; absent without TLS.',
    [],
    'min',
    (set) => {
      const known = state();
      if (known !== null) set([], known.expiresMs / 1_000);
    },
  );
  exposeGauge(
    registry,
    'latchkey_tls_certificate_last_reload_successful',
    '1 while clients are shown what the files of listen.tls hold, 0 while that cannot be shown and a former one is.',
    [],
    'min',
    (set) => {
      const known = state();
      if (known !== null) set([], known.isCurrent ? 1 : 0);
    },
  );
  exposeCounter(
    registry,
    'latchkey_tls_handshakes_failed_total',
    'TLS handshakes of clients that came to nothing.',
    [],
    {
      *series() {
        const known = state();
        if (known !== null) yield { labels: [], count: known.handshakesFailed };
      },
    },
  );
}
