import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { existsSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Fault } from '../core/errors.ts';
import { makeFolder } from '../core/make-folder.ts';

/**
 * The key that signs assertions: the configured one, or one kept in the data folder and made at
 * first start (Ed25519, PKCS#8, readable by the gateway's user only).
 * @throws {Fault} where it cannot be read or written.
 */
export function openAssertionKey(configured: string | null, dataDir: string): KeyObject {
  if (configured !== null) return createPrivateKey(configured);
  const file = path.join(dataDir, 'assertion-key.pem');
  if (!existsSync(file)) makeKey(file);
  try {
    return createPrivateKey(readFileSync(file));
  } catch (error) {
    throw new Fault('store_unavailable', `Cannot read the signing key ${file}: ${reasonOf(error)}`, error);
  }
}

/** Made whole under another name first: a disk that fills up, or an end at any moment, leaves no part of a key. */
function makeKey(file: string): void {
  const draft = `${file}.${randomUUID()}`;
  try {
    makeFolder(path.dirname(file));
    const made = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(draft, made, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(draft, file);
  } catch (error) {
    // Of two processes that start at once, both end up with the key of the one that was first.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return;
    throw new Fault('store_unavailable', `Cannot write the signing key ${file}: ${reasonOf(error)}`, error);
  } finally {
    rmSync(draft, { force: true });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason';
}
