import { resolve } from 'node:path';
import type { KeyPath } from './problem.ts';
import type { Parsed } from './quantities.ts';
import type { SecretReference } from './schema-parts.ts';
import { checkCertificates, checkPassword } from './secrets.ts';
import type { SignInConfig, WayConfig } from './sign-in-config.ts';
import type { WrittenSignIn } from './sign-in-schema.ts';

type Read = (reference: SecretReference, path: KeyPath, check: (secret: string) => Parsed<string>) => string;

/** Reads the secrets of `signIn` and makes its paths absolute. */
export function resolveSignIn(written: WrittenSignIn, read: Read, folder: string): SignInConfig {
  const ways = written.ways.map((way, index) => resolveWay(way, ['signIn', 'ways', index], read, folder));
  return { ways, checkIntervalMs: written.checkIntervalMs };
}

function resolveWay(
  way: WrittenSignIn['ways'][number],
  path: KeyPath,
  read: Read,
  folder: string,
): WayConfig {
  switch (way.kind) {
    case 'local':
      return way;
    case 'htpasswd':
      return { ...way, file: resolve(folder, way.file) };
    case 'ldap': {
      const { bindPassword, ca } = way;
      return {
        ...way,
        bindPassword: bindPassword && read(bindPassword, [...path, 'bindPassword'], checkPassword),
        ca: ca && read(ca, [...path, 'ca'], checkCertificates),
      };
    }
    case 'oidc': {
      const { clientSecret, ca, label } = way;
      return {
        ...way,
        label: label ?? way.name,
        clientSecret: clientSecret && read(clientSecret, [...path, 'clientSecret'], checkPassword),
        ca: ca && read(ca, [...path, 'ca'], checkCertificates),
      };
    }
  }
}
