/** What real servers and clients a test needs, and what happens on a machine that lacks them. */
import { accessSync, constants, existsSync } from 'node:fs';
import { homedir, networkInterfaces } from 'node:os';
import { delimiter, join } from 'node:path';

/** Options for `test()` or `describe()`: runs where false, else a skip with its reason. */
export interface Requirement {
  readonly skip: string | false;
}

/** Where scripts/set-up.sh puts what Debian has not. */
const ownPrograms = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'latchkey-tests', 'bin');

/**
 * Where a program is, looked for in PATH, in the folders where Debian keeps servers and in that of set-up.sh; null
 * where it is not installed.
 */
export function findProgram(name: string): string | null {
  const path = (process.env['PATH'] ?? '').split(delimiter);
  const folders = [...path, '/usr/sbin', '/sbin', '/usr/local/sbin', ownPrograms];
  return folders.map((folder) => join(folder, name)).find(isExecutable) ?? null;
}

/**
 * Runs a test only where all these programs are installed. A named skip otherwise; with `CI=true` a
 * missing program is an error, so that no run passes by testing nothing.
 * @throws Error naming the missing programs where `CI=true`
 */
export function requireProgram(...names: readonly string[]): Requirement {
  const missing = names.filter((name) => findProgram(name) === null);
  if (missing.length === 0) return { skip: false };
  const reason = `not installed: ${missing.join(', ')} (as root on Debian, npm test installs it)`;
  if (process.env['CI'] === 'true') throw new Error(`CI=true, and ${reason}`);
  return { skip: reason };
}

/** Runs a test only as root, in whose absence it is skipped by name, with `CI=true` too. */
export function requireRoot(): Requirement {
  return { skip: process.getuid?.() === 0 ? false : 'only root may do this' };
}

/** Runs a test only where this device file exists; a named skip otherwise, with `CI=true` too. */
export function requireDevice(path: string): Requirement {
  return { skip: existsSync(path) ? false : `this machine has no ${path}` };
}

/** Runs a test only where ::1 is an address of this machine; a named skip otherwise, with `CI=true` too. */
export function requireIpv6(): Requirement {
  const own = Object.values(networkInterfaces()).flat();
  return { skip: own.some((each) => each?.address === '::1') ? false : 'this machine has no ::1' };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
