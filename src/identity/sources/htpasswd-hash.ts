import { createHash, timingSafeEqual } from 'node:crypto';
import { compareSync } from 'bcryptjs';

/** 2^14 rounds take about a second; what is dearer would be a weapon against us. */
const bcryptCostMax = 14;
/** bcrypt looks at no more: a longer password would be as good as its beginning. */
const bcryptBytesMax = 72;

/** Why an entry of the file can let nobody in; null where it can. */
export function hashProblem(hash: string): string | null {
  const bcrypt = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(hash);
  if (bcrypt !== null) {
    const cost = Number(bcrypt[1]);
    if (cost >= 4 && cost <= bcryptCostMax) return null;
    return `its bcrypt cost is ${cost}, and more than ${bcryptCostMax} takes too long`;
  }
  if (/^\$apr1\$[^$]{1,8}\$[./A-Za-z0-9]{22}$/.test(hash)) return null;
  if (/^\{SHA\}[+/A-Za-z0-9]{27}=$/.test(hash)) return null;
  return 'it is plain text, crypt or something else that is not accepted: set it again with htpasswd -B';
}

/** Whether the password made the hash: bcrypt, apr1 (MD5 of Apache) or {SHA}. Takes up to a second of this thread. */
export function matchesHash(hash: string, password: string): boolean {
  if (hashProblem(hash) !== null) return false;
  if (hash.startsWith('$2')) {
    return Buffer.byteLength(password) <= bcryptBytesMax && compareSync(password, hash);
  }
  if (hash.startsWith('$apr1$')) return areEqual(apr1(password, hash.split('$')[2] ?? ''), hash);
  return areEqual(`{SHA}${createHash('sha1').update(password).digest('base64')}`, hash);
}

function areEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

const rounds = 1_000;
const digits = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** Which bytes of the digest go together into four digits. */
const groups: readonly (readonly [number, number, number])[] = [
  [0, 6, 12],
  [1, 7, 13],
  [2, 8, 14],
  [3, 9, 15],
  [4, 10, 5],
];

/** Apache's variant of the MD5-based crypt of FreeBSD: 1,000 rounds over password and salt in changing order. */
function apr1(password: string, salt: string): string {
  const [key, salted] = [Buffer.from(password), Buffer.from(salt)];
  const inner = md5(key, salted, key);
  const first: Buffer[] = [key, Buffer.from('$apr1$'), salted];
  for (let left = key.length; left > 0; left -= 16) first.push(inner.subarray(0, Math.min(16, left)));
  for (let bits = key.length; bits > 0; bits >>= 1) {
    first.push(bits % 2 === 1 ? Buffer.alloc(1) : key.subarray(0, 1));
  }
  let digest: Buffer = md5(...first);
  for (let round = 0; round < rounds; round++) {
    const odd = round % 2 === 1;
    const middle = [...(round % 3 === 0 ? [] : [salted]), ...(round % 7 === 0 ? [] : [key])];
    digest = md5(odd ? key : digest, ...middle, odd ? digest : key);
  }
  return `$apr1$${salt}$${encode(digest)}`;
}

function md5(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('md5');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function encode(digest: Buffer): string {
  const at = (index: number): number => digest[index] ?? 0;
  const whole = groups.map(([a, b, c]) => toDigits((at(a) << 16) | (at(b) << 8) | at(c), 4));
  return `${whole.join('')}${toDigits(at(11), 2)}`;
}

/** Six bits a digit, the lowest first. */
function toDigits(value: number, count: number): string {
  return Array.from({ length: count }, (_, index) => digits[(value >> (6 * index)) & 63]).join('');
}
