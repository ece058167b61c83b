import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { PepperConfig } from '../config/config.ts';
import type { PepperId, TokenDigest } from '../core/ids.ts';

/**
 * The keys under which secrets are digested. They live outside the database, so that whoever reads
 * the database alone can neither recognise a token nor make one.
 */
export interface Peppers {
  /** The pepper under which new digests are made. */
  readonly current: PepperId;
  /** Every pepper that is understood, the current one first. */
  readonly ids: readonly PepperId[];
  /** The digest under the current pepper. */
  digest(secret: string): TokenDigest;
  /** The digests under every pepper, the current one first. */
  digests(secret: string): readonly TokenDigest[];
  /** A keyed hash for another purpose, base64url; keys of different purposes are independent. Null: pepper unknown. */
  derive(purpose: string, pepperId: PepperId, text: string): string | null;
}

/**
 * Peppers in the given order: the first signs, all are understood.
 * Expects at least one, with distinct ids.
 */
export function createPeppers(configured: readonly PepperConfig[]): Peppers {
  const keys = new Map<PepperId, KeyObject>(
    configured.map(({ id, secret }) => [id as PepperId, createSecretKey(secret, 'utf8')]),
  );
  const [first] = keys;
  if (first === undefined || keys.size !== configured.length) {
    throw new TypeError('Peppers need at least one entry and distinct ids.');
  }
  const [current, currentKey] = first;
  const derived = new Map<string, KeyObject>();
  return {
    current,
    ids: [...keys.keys()],
    digest: (secret) => mac(currentKey, secret) as TokenDigest,
    digests: (secret) => Array.from(keys.values(), (key) => mac(key, secret) as TokenDigest),
    derive(purpose, pepperId, text) {
      const name = `${purpose} ${pepperId}`;
      let key = derived.get(name);
      if (key === undefined) {
        const pepper = keys.get(pepperId);
        if (pepper === undefined) return null;
        key = createSecretKey(createHmac('sha256', pepper).update(`latchkey ${purpose}`).digest());
        derived.set(name, key);
      }
      return mac(key, text);
    },
  };
}

function mac(key: KeyObject, text: string): string {
  return createHmac('sha256', key).update(text).digest('base64url');
}

/**
 * Joins parts so that no two different lists give the same text: every part is preceded by its length.
 */
export function lengthPrefixed(parts: readonly string[]): string {
  return parts.map((part) => `${part.length}:${part}`).join('');
}
