import { fork } from 'node:child_process';
import cluster from 'node:cluster';
import { type WorkerProcess, workerProcess } from './worker-process.ts';

/** What a worker runs. */
export interface WorkerProgram {
  /** Absolute path of a module. */
  readonly file: string;
  readonly args: readonly string[];
}

/** The first descriptor behind standard streams and channel. */
export const firstSocket = 4;

/** Starts a worker that inherits `sockets`: it finds them in their order, from descriptor `firstSocket` on. */
export function forkWithSockets({ file, args }: WorkerProgram, sockets: readonly number[]): WorkerProcess {
  const stdio = ['ignore' as const, 'inherit' as const, 'inherit' as const, 'ipc' as const, ...sockets];
  return workerProcess(fork(file, args, { serialization: 'advanced', stdio }));
}

/**
 * Starts a worker for which node:cluster listens: where sockets cannot share a port, this process accepts connections
 * and hands them on in turn.
 */
export function forkInCluster({ file, args }: WorkerProgram): WorkerProcess {
  const stdio = ['ignore' as const, 'inherit' as const, 'inherit' as const, 'ipc' as const];
  cluster.setupPrimary({ exec: file, args: [...args], serialization: 'advanced', stdio });
  return workerProcess(cluster.fork().process);
}
