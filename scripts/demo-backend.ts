/** The WebDAV server of the demo: anyone who reaches it may do everything, so it listens on loopback only. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import FileSystemAdapter from '@nephele/adapter-file-system';
import InsecureAuthenticator from '@nephele/authenticator-none';
import createWebDav from 'nephele';

/** A running demo server. */
export interface DemoBackend {
  readonly origin: string;
  /** Stops listening and drops open connections. */
  close(): Promise<void>;
}

/** Serves `folder` over WebDAV on a free port of 127.0.0.1; makes it, with one file, where it is missing. */
export async function startDemoBackend(folder: string): Promise<DemoBackend> {
  if (!existsSync(folder)) {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'Welcome.txt'), 'This file came through Latchkey.\n');
  }
  const webDav: RequestListener = createWebDav({
    adapter: new FileSystemAdapter({ root: folder }),
    authenticator: new InsecureAuthenticator(),
  });
  const server = createServer(webDav);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
