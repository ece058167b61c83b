import { randomBytes } from 'node:crypto';

/** A source of unpredictable bytes, injected so that tests can replay it. */
export type RandomBytes = (count: number) => Uint8Array;

/** The operating system's generator. */
export const systemRandom: RandomBytes = (count) => randomBytes(count);
