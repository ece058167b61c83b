import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type Child, type ChildOptions, startChild } from '../test/support/child-process.ts';

/** The core of what is measured. */
export const measuredCore = 0;
/** The core of load and backend. */
export const loadCore = 1;

/** Milliseconds of one tick in /proc: USER_HZ is 100 on every Linux that Node runs on. */
const tickMs = 10;

/** Starts a program on one core, with all its threads. */
export function startPinned(core: number, options: ChildOptions): Child {
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

/** User and system time that these processes have had since they started, children left out. */
export function cpuMs(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The second field is the program's name in parentheses and may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * tickMs;
}

/** Resident bytes of a process. */
export function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  return Number(kilobytes) * 1024;
}
