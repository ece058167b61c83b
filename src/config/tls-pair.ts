import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import type { TlsPair } from './listen-config.ts';
import type { Parsed } from './quantities.ts';

/** When a certificate counts, epoch milliseconds. */
export interface Validity {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A PEM private key without a passphrase. */
export function checkPrivateKey(pem: string): Parsed<string> {
  const key = readKey(pem);
  if (typeof key !== 'string') return { value: pem };
  return { wrong: key };
}

/** Why this key cannot serve this certificate, as the end of a sentence about the key; null where it can. */
export function pairProblem({ cert, key }: TlsPair): string | null {
  const privateKey = readKey(key);
  if (typeof privateKey === 'string') return privateKey;
  const leaf = new X509Certificate(cert);
  if (!leaf.checkPrivateKey(privateKey)) {
    return 'is not the key of the first certificate in cert: give the two that were made together, that of this server first';
  }
  try {
    createSecureContext({ cert, key });
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    return `cannot be used with its certificate (${code}): make both anew, with a key of RSA 2048 bits or EC P-256`;
  }
}

/** When the first certificate of a PEM text counts. */
export function validityOf(cert: string): Validity {
  const { validFromDate, validToDate } = new X509Certificate(cert);
  return { fromMs: validFromDate.getTime(), untilMs: validToDate.getTime() };
}

/** Why a certificate does not count now, as the end of a sentence about it; null where it does. */
export function validityProblem({ fromMs, untilMs }: Validity, nowMs: number): string | null {
  if (nowMs >= untilMs) return `expired on ${new Date(untilMs).toISOString()}`;
  return nowMs < fromMs ? `counts only from ${new Date(fromMs).toISOString()} on` : null;
}

/** The key, or what is wrong with it; never a part of it. */
function readKey(pem: string): KeyObject | string {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    return 'is protected by a passphrase: store it without one (openssl pkey -in KEY -out PLAIN), readable by this user only';
  }
  try {
    return createPrivateKey(pem);
  } catch {
    return 'holds no readable PEM private key (-----BEGIN PRIVATE KEY-----)';
  }
}
