import { resolve } from 'node:path';
import type { Finding } from './issues.ts';
import type { ListenConfig, ListenTlsConfig } from './listen-config.ts';
import type { WrittenListen } from './listen-schema.ts';
import type { KeyPath } from './problem.ts';
import type { Parsed } from './quantities.ts';
import type { SecretReference } from './schema-parts.ts';
import { checkCertificates } from './secrets.ts';
import { checkPrivateKey, pairProblem } from './tls-pair.ts';

/** Where secrets are read and complaints left. */
export interface ListenSources {
  readonly read: (
    reference: SecretReference,
    path: KeyPath,
    check: (secret: string) => Parsed<string>,
  ) => string;
  /** Absolute path of the file a reference names, or null. */
  readonly fileOf: (reference: SecretReference) => string | null;
  readonly complain: (finding: Finding) => void;
}

/** Reads certificate and key of `listen`, and holds them against each other. Paths are relative to `folder`. */
export function resolveListen(written: WrittenListen, folder: string, sources: ListenSources): ListenConfig {
  const socket = written.socket === null ? null : resolve(folder, written.socket);
  return { ...written, socket, tls: written.tls && resolveTls(written.tls, sources) };
}

function resolveTls(
  { cert, key, http2 }: NonNullable<WrittenListen['tls']>,
  { read, fileOf, complain }: ListenSources,
): ListenTlsConfig {
  const pair = {
    cert: read(cert, ['listen', 'tls', 'cert'], checkCertificates),
    key: read(key, ['listen', 'tls', 'key'], checkPrivateKey),
  };
  // What could not be read is empty, and has been complained about.
  const problem = pair.cert === '' || pair.key === '' ? null : pairProblem(pair);
  if (problem !== null) complain({ path: ['listen', 'tls', 'key'], at: 'value', message: problem });
  return { ...pair, certFile: fileOf(cert), keyFile: fileOf(key), http2 };
}
