import type { RandomBytes } from '../core/random.ts';

/** How every token starts. */
export const tokenPrefix = 'lk_';
const randomChars = 36;
const checksumChars = 6;
/** Characters of a whole token: prefix, 36 random, 6 of checksum. */
export const tokenLength: number = tokenPrefix.length + randomChars + checksumChars;
/** Characters kept in clear for people to recognise a token by. */
export const displayPrefixLength: number = tokenPrefix.length + 4;

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});
/** Value of each base62 character, -1 for every other code below 128. */
const digitOfCode = Int8Array.from({ length: 128 }, (_, code) => alphabet.indexOf(String.fromCharCode(code)));

/**
 * A new token: `lk_`, 36 unbiased base62 characters (about 214 bits), and the CRC-32 of those 36 in
 * base62, left-padded with `0` to six characters.
 */
export function mintToken(randomBytes: RandomBytes): string {
  let random = '';
  while (random.length < randomChars) {
    for (const byte of randomBytes(randomChars * 2)) {
      const sixBits = byte & 0x3f;
      // 62 and 63 are thrown away: taking them modulo 62 would favour two characters.
      if (sixBits < 62 && random.length < randomChars) random += alphabet[sixBits];
    }
  }
  return tokenPrefix + random + encodeChecksum(crc32(random, 0, randomChars));
}

/** Whether it has the length and the prefix of a token; says nothing about the checksum. */
export function isTokenShaped(secret: string): boolean {
  return secret.length === tokenLength && secret.startsWith(tokenPrefix);
}

/**
 * Whether length, prefix, alphabet and checksum are those of a token. Cheap enough to stand before every
 * cache and store; it proves nothing, since anyone can compute the checksum.
 */
export function isWellFormed(secret: string): boolean {
  if (!isTokenShaped(secret)) return false;
  const checksumAt = tokenPrefix.length + randomChars;
  let claimed = 0;
  for (let at = checksumAt; at < tokenLength; at++) {
    const digit = digitAt(secret, at);
    if (digit < 0) return false;
    claimed = claimed * 62 + digit;
  }
  return claimed === crc32(secret, tokenPrefix.length, checksumAt);
}

/** Whether a token stands anywhere in the text: such a text must not be kept in clear. */
export function holdsToken(text: string): boolean {
  for (let at = text.indexOf(tokenPrefix); at !== -1; at = text.indexOf(tokenPrefix, at + 1)) {
    if (isWellFormed(text.slice(at, at + tokenLength))) return true;
  }
  return false;
}

/** CRC-32 (IEEE) of base62 text between two positions, or -1 where a character is not base62. */
function crc32(text: string, start: number, end: number): number {
  let crc = 0xffffffff;
  for (let at = start; at < end; at++) {
    if (digitAt(text, at) < 0) return -1;
    crc = (crcTable[(crc ^ text.charCodeAt(at)) & 0xff] ?? 0) ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function digitAt(text: string, at: number): number {
  return digitOfCode[text.charCodeAt(at)] ?? -1;
}

function encodeChecksum(crc: number): string {
  let text = '';
  for (let rest = crc; text.length < checksumChars; rest = Math.floor(rest / 62)) {
    text = `${alphabet[rest % 62] ?? ''}${text}`;
  }
  return text;
}
