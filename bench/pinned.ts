import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { type Child, type ChildOptions, startChild } from '../test/support/child-process.ts';

/** The core of what is measured. */
export const measuredCore = 0;
/** The core of load and backend. */
export const loadCore = 1;

/** Starts a program on one core, or those of a list such as `0,1`, with all its threads. */
export function startPinned(core: number | string, options: ChildOptions): Child {
  return startChild({
    ...options,
    command: 'taskset',
    args: ['--cpu-list', String(core), options.command, ...options.args],
  });
}

/** Moves this very process, with all its threads, to one core. */
export function pinSelf(core: number): void {
  execFileSync('taskset', ['--all-tasks', '--pid', '--cpu-list', String(core), String(process.pid)]);
}

/** User and system time that these processes have had since they started, in µs; children are left out. */
export function cpuUs(pids: readonly number[]): number {
  let ns = 0;
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      // The same clock as in /proc/PID/stat, in nanoseconds instead of ticks of 10 ms.
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ', 1)[0]);
    }
  }
  return ns / 1_000;
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kilobytes) * 1024;
}
