import type { RandomBytes } from '../core/random.ts';

/** Makes request ids: unique in this process and, by their random beginning, among all. Cheap. */
export function createRequestIds(randomBytes: RandomBytes): () => string {
  const start = Buffer.from(randomBytes(6)).toString('hex');
  let count = 0;
  return () => `${start}-${(++count).toString(36)}`;
}
