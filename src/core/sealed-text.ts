import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/** 256 bits that seal and open texts. */
export type SealingKey = Uint8Array & { readonly length: 32 };

const ivBytes = 12;
const tagBytes = 16;

/**
 * Seals a text by AES-256-GCM (NIST SP 800-38D): nobody without the key reads or changes it. `context` says what it is
 * for and must be the same when it is opened, so that nothing sealed for one purpose serves another. base64url.
 */
export function sealText(key: SealingKey, context: string, text: string): string {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
}

/** Opens what `sealText` made; null for everything else, another key or another context. */
export function openSealedText(key: SealingKey, context: string, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length < ivBytes + tagBytes) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), {
    authTagLength: tagBytes,
  })
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  try {
    const opened = decipher.update(bytes.subarray(ivBytes + tagBytes));
    return Buffer.concat([opened, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}
