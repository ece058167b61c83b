import { resolve } from 'node:path';
import type { Finding } from './issues.ts';
import type { ListenConfig, ListenTlsConfig, TlsPair } from './listen-config.ts';
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

function resolveTls(written: NonNullable<WrittenListen['tls']>, sources: ListenSources): ListenTlsConfig {
  const { cert, key, http2 } = written;
  const pair = readPair(written, ['listen', 'tls'], sources);
  return { ...pair, certFile: sources.fileOf(cert), keyFile: sources.fileOf(key), http2 };
}

/** Reads a certificate and its key below `path`, and holds them against each other. */
export function readPair(
  { cert, key }: { readonly cert: SecretReference; readonly key: SecretReference },
  path: KeyPath,
  { read, complain }: Pick<ListenSources, 'read' | 'complain'>,
): TlsPair {
  const pair = {
    cert: read(cert, [...path, 'cert'], checkCertificates),
    key: read(key, [...path, 'key'], checkPrivateKey),
  };
  // What could not be read is empty, and has been complained about.
  const problem = pair.cert === '' || pair.key === '' ? null : pairProblem(pair);
  if (problem !== null) complain({ path: [...path, 'key'], at: 'value', message: problem });
  return pair;
}
