import type { Dismissal } from '../server/workers/supervisor-link.ts';
import type { CommandIo } from './command-io.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';
import { startFailure } from './start-failure.ts';

/**
 * Runs as one worker of a gateway, told what to do by the process that started it. What keeps it from serving is told
 * to that process too.
 */
export async function serveAsWorker(io: CommandIo, version: string): Promise<void> {
  const [{ openSupervisorLink }, { startWorker }] = await Promise.all([
    import('../server/workers/supervisor-link.ts'),
    import('../compose/worker.ts'),
  ]);
  const link = openSupervisorLink();
  if (link === null)
    throw new CommandFailure(exitCodes.usage, '--worker is for processes that latchkey serve starts itself.');
  // A terminal sends these to all processes; the supervisor says what is to be done.
  process.on('SIGINT', () => undefined).on('SIGHUP', () => undefined);
  const terminated = new Promise<Dismissal>((resolve) =>
    process.once('SIGTERM', () => resolve({ why: 'told', lingerMs: 0 })),
  );
  let isStarting = true;
  void link.dismissed.then(({ why }) => {
    // What is still being opened has served nobody, and may never be open.
    if (why === 'orphaned' && isStarting) process.exit(exitCodes.fault);
  });
  const begin = await Promise.race([link.begin, link.dismissed]);
  // The channel would keep this process until it is killed.
  if ('why' in begin)
    return link.leave({ kind: 'failed', message: 'a worker was told to end before it began.' });
  const { config } = begin;
  try {
    const gateway = await startWorker(link, { version, logStream: io.logStream() });
    isStarting = false;
    const { why, lingerMs } = await Promise.race([link.dismissed, terminated]);
    gateway.log.info({ pid: process.pid, why }, 'draining');
    await gateway.drain(lingerMs);
    await link.leave({ kind: 'left', metrics: await gateway.snapshot() });
  } catch (error) {
    isStarting = false;
    const failure = startFailure(error, config);
    const message = failure instanceof Error ? failure.message : 'unknown reason';
    // A bug of ours comes with its stack; the rest is told by the process that started this one.
    if (failure === error && failure instanceof Error) io.stderr(`latchkey: ${failure.stack ?? message}\n`);
    io.setExitCode(exitCodes.fault);
    await link.leave({ kind: 'failed', message });
  }
}
