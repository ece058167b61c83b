import type { AddressInfo, Server } from 'node:net';

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
}

/** Resolves to the port once the server is open. Rejects with the system's error (EADDRINUSE, EACCES …). */
export function listenAt(server: Server, { host, port, socket }: ListenPlace): Promise<number> {
  const address = socket === undefined ? { port, ...(host === null ? {} : { host }) } : { fd: socket };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ ...address, backlog }, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
