import { readFileSync } from 'node:fs';

/** Beyond this many connections one process is the wrong size: they weigh some 20 kB each while idle. */
const connectionsMax = 16_384;
/** Where the system does not say how many files may be open. */
const connectionsUnknown = 4_096;
/** Beyond this many requests at a time a backend wants several origins. */
const backendConnectionsMax = 4_096;
const backendConnectionsUnknown = 1_024;

/**
 * How many connections of clients this process can hold: three quarters of the files it may have open, because
 * backends, tunnels, store and log need some too; at most 16,384. 4,096 where the system does not tell.
 */
export function connectionsByOpenFiles(): number {
  const files = openFilesMax();
  return files === null ? connectionsUnknown : Math.min(connectionsMax, Math.floor((files * 3) / 4));
}

/**
 * How many connections this process can hold to a backend: a fifth of the files it may have open, which leaves some
 * beside those of clients; at most 4,096. 1,024 where the system does not tell.
 */
export function backendConnectionsByOpenFiles(): number {
  const files = openFilesMax();
  return files === null ? backendConnectionsUnknown : Math.min(backendConnectionsMax, Math.floor(files / 5));
}

/** The limit in force, which Node has raised as far as it may go; null where there is no Linux to ask. */
function openFilesMax(): number | null {
  try {
    const [, soft] =
      /^Max open files\s+(\d+|unlimited)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    if (soft === undefined) return null;
    return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
  } catch {
    return null;
  }
}
