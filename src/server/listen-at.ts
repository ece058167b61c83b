import type { Server } from 'node:net';
import { listenAtSocketFile, type SocketFile } from './socket-file.ts';

/** As long a queue as the system allows by default: in a flood, who is not in it waits for seconds. */
const backlog = 4_096;

/** Where a server listens. */
export interface ListenPlace {
  /** Null: every address. */
  readonly host: string | null;
  /** 0 takes a free one. */
  readonly port: number;
  /** The descriptor of a socket that is bound already, and used instead. */
  readonly socket?: number | undefined;
  /** A socket file to listen on instead of host and port; null: none. */
  readonly file?: SocketFile | null;
}

/** Resolves to the port once the server is open, 0 where it has none. Rejects with the system's error (EADDRINUSE, EACCES …). */
export async function listenAt(server: Server, { host, port, socket, file }: ListenPlace): Promise<number> {
  if (socket === undefined && file !== undefined && file !== null) {
    await listenAtSocketFile(server, file, backlog);
    return 0;
  }
  const address = socket === undefined ? { port, ...(host === null ? {} : { host }) } : { fd: socket };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...address, backlog }, () => {
      server.off('error', reject);
      const bound = server.address();
      resolve(bound === null || typeof bound === 'string' ? 0 : bound.port);
    });
  });
}
