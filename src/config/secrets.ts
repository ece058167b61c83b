import { createPrivateKey, X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import type { Parsed } from './quantities.ts';
import type { SecretReference } from './schema-parts.ts';
import { reasonOf, type ReadFile } from './sources.ts';

/** Reads what a reference names; what is wrong never holds the secret. */
export interface ReadSecret {
  (reference: SecretReference): Parsed<string>;
  /** Absolute path of the file that a reference names; null where it names none. */
  readonly fileOf: (reference: SecretReference) => string | null;
}

/**
 * Reads secrets from variables, and from files relative to `folder`. One line break at the end of a
 * file is no part of the secret; an empty secret is as wrong as a missing one.
 */
export function secretReader(
  env: Readonly<Record<string, string | undefined>>,
  folder: string,
  readFile: ReadFile,
): ReadSecret {
  const fileOf: ReadSecret['fileOf'] = (reference) =>
    'fromFile' in reference ? resolve(folder, reference.fromFile) : null;
  const read = (reference: SecretReference): Parsed<string> => {
    if ('fromEnv' in reference) {
      const value = env[reference.fromEnv];
      if (value) return { value };
      return {
        wrong: `the environment variable ${reference.fromEnv} is ${value === '' ? 'empty' : 'not set'}`,
      };
    }
    const path = resolve(folder, reference.fromFile);
    try {
      const value = readFile(path).replace(/\r?\n$/, '');
      return value === '' ? { wrong: `the file ${path} is empty` } : { value };
    } catch (error) {
      return { wrong: `the file ${path} ${reasonOf(error)}` };
    }
  };
  return Object.assign(read, { fileOf });
}

/** A secret that keys an HMAC: 32 bytes or more, and not a whole line of the file that gateways make for themselves. */
export function checkPepper(secret: string): Parsed<string> {
  // Taken for the secret, it would make other digests than the gateway that wrote the file: every token would be unknown.
  if (/^[\da-f]{8} [\w-]{43}$/m.test(secret))
    return {
      wrong: 'is a line of the file pepper of a dataDir: its first word is the id, give the second alone',
    };
  if (Buffer.byteLength(secret) >= 32) return { value: secret };
  return { wrong: 'is shorter than 32 bytes; make one with: openssl rand -base64 48' };
}

/** A secret that travels in a header: no control characters. */
export function checkPassword(secret: string): Parsed<string> {
  return /\p{Cc}/u.test(secret)
    ? { wrong: 'holds a line break or another control character' }
    : { value: secret };
}

/** A PKCS#8 PEM of an Ed25519 private key. */
export function checkAssertionKey(pem: string): Parsed<string> {
  const advice = 'make one with: openssl genpkey -algorithm ed25519';
  try {
    if (
      /^-----BEGIN PRIVATE KEY-----/.test(pem.trimStart()) &&
      createPrivateKey(pem).asymmetricKeyType === 'ed25519'
    ) {
      return { value: pem };
    }
  } catch {
    // Falls through: why it cannot be read is of no help, and might quote it.
  }
  return { wrong: `is not the PKCS#8 PEM of an Ed25519 private key; ${advice}` };
}

/** One or several PEM certificates. */
export function checkCertificates(pem: string): Parsed<string> {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    const certificates = blocks.map((block) => new X509Certificate(block));
    if (certificates.length > 0) return { value: pem };
  } catch {
    // Falls through to the same sentence.
  }
  return { wrong: 'holds no readable PEM certificate (-----BEGIN CERTIFICATE-----)' };
}
