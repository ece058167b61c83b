/** What to keep of an input that broke a promise. */

/** A broken promise. */
export interface Finding {
  /** The same for inputs that fail in the same way. */
  readonly key: string;
  readonly message: string;
  readonly input: Buffer;
}

/** Runs one input; the error where a promise was broken, else null. */
export type Trial = (input: Buffer) => Promise<Error | null>;

const trialsMax = 4_000;
const shrinkMsMax = 20_000;

/** Two failures of one kind come from one place with one message, numbers and quoted input aside. */
export function keyOf(error: Error): string {
  const message = (error.message.split('\n')[0] ?? '').replace(/\d+|'[^']*'|"[^"]*"|`[^`]*`/g, '…');
  const frame = /\((?:file:\/\/)?[^()]*\/(?:src|test\/fuzz)\/[^()]*\)/.exec(error.stack ?? '')?.[0] ?? '';
  return `${message.slice(0, 120)} ${frame.replace(/^.*\/(?=src|test)/, '')}`;
}

/** The input without all that the failure does not need: ever smaller pieces are left out, as long as it stays the same. */
export async function shrink(input: Buffer, key: string, trial: Trial): Promise<Buffer> {
  let smallest = input;
  const trials = { left: trialsMax };
  const endMs = performance.now() + shrinkMsMax;
  const fails = async (candidate: Buffer): Promise<boolean> => {
    trials.left = performance.now() > endMs ? 0 : trials.left - 1;
    const error = await trial(candidate);
    return error !== null && keyOf(error) === key;
  };
  for (let size = Math.ceil(smallest.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < smallest.length && trials.left > 0; ) {
      const candidate = Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]);
      if (await fails(candidate)) smallest = candidate;
      else at += size;
    }
  }
  for (let at = 0; at < smallest.length && trials.left > 0; at++) {
    if (smallest[at] === 0x61 || smallest[at] === 0x0a) continue;
    const candidate = Buffer.from(smallest);
    candidate[at] = 0x61;
    if (await fails(candidate)) smallest = candidate;
  }
  return smallest;
}
