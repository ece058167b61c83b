import type { ListenConfig } from '../config/listen-config.ts';
import { type Certificate, createCertificate } from '../server/certificate.ts';
import type { PublicListener } from '../server/public-listener.ts';
import type { TlsState } from '../telemetry/tls-metrics.ts';
import type { Ground } from './ground.ts';

/** So soon a replaced certificate is seen; looking costs two small files. */
const lookEveryMs = 2_000;

/** TLS with clients: the certificate, and what the metrics say of it. */
export interface OpenedTls {
  handshakeFailed(): void;
  /** Null without TLS. */
  state(): TlsState | null;
  /** Begins to look at the files of the certificate, for as long as the gateway runs. */
  keep(listener: Pick<PublicListener, 'useCertificate'>): void;
  /** Goes by another configuration, where both have TLS. */
  replace(next: ListenConfig): void;
}

/** See `OpenedTls`; without TLS it does nothing. */
export function openTls({ config, clock, log, closers }: Ground): OpenedTls {
  const { tls } = config.listen;
  let certificate: Certificate | null = null;
  let handshakesFailed = 0;
  return {
    handshakeFailed() {
      handshakesFailed++;
    },
    state: () =>
      certificate === null
        ? null
        : { expiresMs: certificate.expiresMs(), isCurrent: certificate.isCurrent(), handshakesFailed },
    keep(listener) {
      if (tls === null) return;
      const use = listener.useCertificate;
      const kept = createCertificate({ tls, clock, log, use, everyMs: lookEveryMs });
      closers.add(() => kept.stop());
      certificate = kept;
    },
    replace(next) {
      if (next.tls !== null) certificate?.replace(next.tls);
    },
  };
}
