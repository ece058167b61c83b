import { measuredCore, startPinned } from './pinned.ts';
import { program } from './peers.ts';

/** Runs a program of `programs/` on the measured core to its end; what it printed is its result as JSON. */
export async function runMeasured<Result>(name: string, args: readonly string[]): Promise<Result> {
  const child = startPinned(measuredCore, {
    label: name,
    command: process.execPath,
    args: ['--expose-gc', program(name), ...args],
  });
  const { code } = await child.exited;
  if (code !== 0) throw new Error(`${name} ended with ${code}:\n${child.stdout()}\n${child.stderr()}`);
  return JSON.parse(child.stdout()) as Result;
}
