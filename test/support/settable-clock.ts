import { writeFile } from 'node:fs/promises';
import { eventually } from './eventually.ts';
import type { Gateway } from './gateway.ts';
import type { Scratch } from './scratch.ts';

/** A gateway's wall clock, apart from everybody else's. */
export interface SettableClock {
  /** What the gateway's environment needs. */
  readonly env: Readonly<Record<string, string>>;
  /** Puts the running gateway's wall clock off by so much; 0 sets it right. Resolves once that is so. */
  set(gateway: Gateway, offMs: number): Promise<void>;
}

/** For one gateway, which has to be started with this environment. */
export function settableClock(scratch: Scratch): SettableClock {
  const file = scratch.file('clock');
  return {
    env: {
      NODE_OPTIONS: `--import=${new URL('set-clock.ts', import.meta.url).href}`,
      TEST_CLOCK_FILE: file,
    },
    async set(gateway, offMs) {
      const told = gateway.output().split('clock set off').length;
      await writeFile(file, String(offMs));
      process.kill(gateway.pid, 'SIGUSR2');
      await eventually('the clock to be set', () => gateway.output().split('clock set off').length > told);
    },
  };
}
