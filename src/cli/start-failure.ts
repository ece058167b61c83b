import type { Config } from '../config/config.ts';
import { Fault } from '../core/errors.ts';
import { WorkerFailure } from '../server/workers/worker-failure.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';

/** What Node says about sockets and names. */
interface SystemError extends NodeJS.ErrnoException {
  readonly hostname?: string;
  readonly port?: number;
}

/** What keeps a gateway from starting, as a sentence with the next step; what is none of that comes back as it is. */
export function startFailure(error: unknown, config: Config): unknown {
  if (error instanceof Fault || error instanceof WorkerFailure)
    return new CommandFailure(exitCodes.fault, error.message, error);
  const { code, hostname, port, syscall } = error as SystemError;
  if (syscall === 'getaddrinfo') {
    const names = hostKeys(config).find(([host]) => host === hostname)?.[1] ?? 'admin.host';
    const advice = `correct ${names}, or give it an address of this machine`;
    return new CommandFailure(
      exitCodes.fault,
      `cannot listen: there is no host ${hostname}: ${advice}.`,
      error,
    );
  }
  if (syscall !== 'listen' || code === undefined) return error;
  const [key, hostKey] =
    port === config.admin.port
      ? ['admin.port (--admin-port)', 'admin.host']
      : port === config.doors.port
        ? ['doors.port', 'doors.host']
        : port === config.doors.grpcPort
          ? ['doors.grpcPort', 'doors.host']
          : ['listen.port (--port)', 'listen.host (--host)'];
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `another program listens on port ${port}: stop it, or choose another ${key}`,
    EACCES: `this user may not listen on port ${port}: choose a ${key} above 1023`,
    EADDRNOTAVAIL: `the address for port ${port} is not one of this machine: check ${hostKey}`,
  };
  const reason = why[code] ?? `the system says ${code} for port ${port}: check ${key}`;
  return new CommandFailure(exitCodes.fault, `cannot listen: ${reason}.`, error);
}

function hostKeys({ listen, admin, doors }: Config): readonly (readonly [string | null, string])[] {
  return [
    [listen.host, 'listen.host (--host)'],
    [admin.host, 'admin.host'],
    [doors.host, 'doors.host'],
  ];
}
