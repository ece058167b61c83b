import { createHash } from 'node:crypto';
import type { SecretDigest } from '../core/ids.ts';
import type { RandomBytes } from '../core/random.ts';

const secretBytes = 32;
const secretForm = /^[A-Za-z0-9_-]{43}$/;

/** A new secret: 256 random bits as 43 characters of base64url. */
export function mintSecret(randomBytes: RandomBytes): string {
  return Buffer.from(randomBytes(secretBytes)).toString('base64url');
}

/** Whether it could be one of `mintSecret`: what could not is refused without asking the store. */
export function isSecretShaped(text: string): boolean {
  return secretForm.test(text);
}

/** The form in which such a secret is kept and looked up. 256 random bits need no salt, no key and no slow hash. */
export function digestSecret(secret: string): SecretDigest {
  return createHash('sha256').update(secret).digest('base64url') as SecretDigest;
}
