import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Fault } from '../core/errors.ts';

/**
 * The key that signs assertions: the configured one, or one kept in the data folder and made at
 * first start (Ed25519, PKCS#8, readable by the gateway's user only).
 * @throws {Fault} where it cannot be read or written.
 */
export function openAssertionKey(configured: string | null, dataDir: string): KeyObject {
  if (configured !== null) return createPrivateKey(configured);
  const file = path.join(dataDir, 'assertion-key.pem');
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    // Exclusive: of two processes that start at once, both end up with the one that was first.
    writeFileSync(file, made, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new Fault('store_unavailable', `Cannot write the signing key ${file}: ${reasonOf(error)}`, error);
    }
  }
  try {
    return createPrivateKey(readFileSync(file));
  } catch (error) {
    throw new Fault('store_unavailable', `Cannot read the signing key ${file}: ${reasonOf(error)}`, error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason';
}
