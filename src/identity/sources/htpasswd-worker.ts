/*
 * Runs in a thread of its own: hashing in JavaScript would hold up every request of the process.
 */
import { parentPort } from 'node:worker_threads';
import { matchesHash } from './htpasswd-hash.ts';

parentPort?.on('message', ({ id, hash, password }: { id: number; hash: string; password: string }) => {
  parentPort?.postMessage({ id, matches: matchesHash(hash, password) }, []);
});
