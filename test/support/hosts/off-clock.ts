import { globSync } from 'node:fs';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scratch } from '../scratch.ts';
import { isAlive } from './is-alive.ts';

/** How a program is run so that its wall clock can be put off. */
export interface OffClock {
  /** What stands before the program's command; may be no more than `env`. */
  readonly prefix: readonly [string, ...string[]];
  /** Puts the clock off by so much, for all who run with it. */
  set(offMs: number): Promise<void>;
}

const library: string | undefined = globSync('/usr/lib/*/faketime/libfaketime.so.1')[0];

/** Whether servers that are not ours can be given a clock of their own: libfaketime is installed. */
export const canPutClocksOff: boolean = library !== undefined;

/** For one server: libfaketime reads the offset from a file at every look at the clock. */
export function offClock(scratch: Scratch, name: string): OffClock {
  const file = scratch.file(`${name}.clock`);
  const settings = [
    // Redis' own malloc asks for the time before libfaketime can say it: it takes that of the C library instead.
    ...[`LD_PRELOAD=${library}:libc.so.6`, `FAKETIME_TIMESTAMP_FILE=${file}`],
    ...['FAKETIME_NO_CACHE=1', 'FAKETIME_DONT_FAKE_MONOTONIC=1'],
  ];
  return {
    prefix: ['env', ...(library === undefined ? [] : settings)],
    set: (offMs) => writeFile(file, `${offMs < 0 ? '' : '+'}${offMs / 1_000}`),
  };
}

const sharedMemory = '/dev/shm';

/** Removes what libfaketime has left of programs that were killed. */
export async function clearOffClocks(): Promise<void> {
  if (library === undefined) return;
  for (const name of await readdir(sharedMemory)) {
    const pid = /^(?:sem\.)?faketime_(?:sem|shm)_(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(sharedMemory, name), { force: true });
  }
}
