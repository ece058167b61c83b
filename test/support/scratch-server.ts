import { readFile } from 'node:fs/promises';
import { type ChildOptions, startChild } from './child-process.ts';
import type { Scratch } from './scratch.ts';

/**
 * Starts a server that keeps all it has in this scratch folder; resolves, once it listens on the port, with what
 * stops it and removes the folder. A `logFile` is told where the server does not start.
 * @throws Error where it does not listen within 20 s; nothing of it is left then
 */
export async function startScratchServer(
  options: ChildOptions,
  port: number,
  scratch: Scratch,
  logFile?: string,
): Promise<() => Promise<void>> {
  const child = startChild(options);
  const stop = async (): Promise<void> => {
    await child.stop();
    await scratch.remove();
  };
  try {
    await child.waitForPort(port, 20_000);
  } catch (error) {
    const log = logFile === undefined ? '' : await readFile(logFile, 'utf8').catch(() => '');
    await stop();
    throw new Error(`${options.label} did not start: ${log}`, { cause: error });
  }
  return stop;
}
