import { chmodSync, lstatSync, readFileSync, type Stats, unlinkSync } from 'node:fs';
// As a whole: its BoundSocket came with Node 24.19.
import * as net from 'node:net';
import { dirname } from 'node:path';
import { Fault } from '../core/errors.ts';

/** A socket file to listen on. */
export interface SocketFile {
  readonly path: string;
  /** Permissions: 0o660. */
  readonly mode: number;
}

/**
 * Listens on a socket file, which nobody may connect to before it has its mode. One that a dead process left is
 * removed; anything else at that path is left alone. Node removes the file as the server closes.
 * @throws {Fault} naming what stands there, or what is missing
 */
export async function listenAtSocketFile(
  server: net.Server,
  { path, mode }: SocketFile,
  backlog: number,
): Promise<void> {
  await removeStale(path);
  const umask = process.umask(0o777 & ~mode);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      // The file is made before this returns.
      server.listen({ path, backlog }, () => {
        server.off('error', reject);
        resolve();
      });
      process.umask(umask);
    });
    chmodSync(path, mode);
  } catch (error) {
    throw refusal(path, error);
  } finally {
    process.umask(umask);
  }
}

/**
 * A socket bound to a file, which is there from now on with its mode, to be listened on by others; the same cautions and
 * errors as of `listenAtSocketFile`. Closing it removes the file.
 */
export async function bindSocketFile({ path, mode }: SocketFile): Promise<net.BoundSocket> {
  await removeStale(path);
  const umask = process.umask(0o777 & ~mode);
  try {
    // The types of Node do not know `path` yet.
    const options: net.BoundSocketOptions & { readonly path: string } = { path };
    const bound = new net.BoundSocket(options);
    chmodSync(path, mode);
    return bound;
  } catch (error) {
    throw refusal(path, error);
  } finally {
    process.umask(umask);
  }
}

async function removeStale(path: string): Promise<void> {
  // Told apart here: libuv says EACCES of both.
  if (lookAt(dirname(path)) === null) throw refusal(path, { code: 'ENOENT' });
  const found = lookAt(path);
  if (found === null) return;
  if (!found.isSocket())
    throw cannot(`${path} is there and is no socket: remove it, or choose another listen.socket`);
  if (await isAlive(path))
    throw cannot(`another program listens on ${path}: stop it, or choose another listen.socket`);
  try {
    unlinkSync(path);
  } catch (error) {
    throw refusal(path, error);
  }
}

function lookAt(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw refusal(path, error);
  }
}

/** Anything but a refusal may be somebody alive. */
function isAlive(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ path }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code !== 'ECONNREFUSED' || isBound(path)),
    );
  });
}

/**
 * Whether a socket that is bound there waits to be listened on, as those of a gateway with workers do while the first of
 * them starts (proc(5), /proc/net/unix). Where the system does not say so, none is.
 */
function isBound(path: string): boolean {
  try {
    const unconnected = readFileSync('/proc/net/unix', 'utf8').split('\n');
    return unconnected.some((line) => /^(?:\S+ +){5}01 +\d+ (.*)$/.exec(line)?.[1] === path);
  } catch {
    return false;
  }
}

function refusal(path: string, error: unknown): Fault {
  const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
  const why: Readonly<Record<string, string>> = {
    ENOENT: `the folder ${dirname(path)} is not there: make it, or choose another listen.socket`,
    ENOTDIR: `${dirname(path)} is no folder: choose another listen.socket`,
    EACCES: `this user may not make ${path}: let it write to ${dirname(path)}, or choose another listen.socket`,
    EPERM: `this user may not make ${path}: let it write to ${dirname(path)}, or choose another listen.socket`,
    EROFS: `${dirname(path)} cannot be written to: choose another listen.socket`,
    EINVAL: `${path} is longer than the name of a socket may be (107 bytes): choose a shorter listen.socket`,
    EADDRINUSE: `another program listens on ${path}: stop it, or choose another listen.socket`,
  };
  return cannot(why[code] ?? `the system says ${code} for ${path}: check listen.socket`, error);
}

function cannot(reason: string, cause?: unknown): Fault {
  return new Fault('internal', `cannot listen: ${reason}.`, cause);
}
