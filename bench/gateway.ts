import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Child } from '../test/support/child-process.ts';
import { freePort } from '../test/support/free-port.ts';
import type { Scratch } from '../test/support/scratch.ts';
import { measuredCore, startPinned } from './pinned.ts';

/** A configuration of its own folder. */
export interface GatewayFiles {
  readonly configFile: string;
  readonly port: number;
}

/** Writes a configuration with one WebDAV route in front of the backend. */
export async function writeConfig(
  scratch: Scratch,
  name: string,
  backendPort: number,
  more: Readonly<Record<string, unknown>> = {},
  moreOfRoute: Readonly<Record<string, unknown>> = {},
): Promise<GatewayFiles> {
  const port = await freePort();
  const configFile = scratch.file(`${name}.yaml`);
  const config = {
    listen: { host: '127.0.0.1', port },
    admin: { host: '127.0.0.1', port: await freePort() },
    dataDir: scratch.file(`${name}-data`),
    store: `sqlite:${scratch.file(`${name}-data`, 'latchkey.db')}`,
    routes: [
      {
        name: 'files',
        match: { path: '/dav/' },
        backend: `http://127.0.0.1:${backendPort}`,
        kind: 'webdav',
        accept: ['basic', 'bearer'],
        identity: { user: 'X-Remote-User' },
        ...moreOfRoute,
      },
    ],
    ...more,
  };
  // JSON is YAML.
  await writeFile(configFile, JSON.stringify(config));
  return { configFile, port };
}

/** Starts `latchkey serve` on the measured core or those in a list, its log in a file as under a service manager. */
export async function startGateway(
  scratch: Scratch,
  files: GatewayFiles,
  cores: number | string = measuredCore,
): Promise<Child> {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const child = startPinned(cores, {
    label: 'latchkey serve',
    command: 'sh',
    args: [
      '-c',
      `exec "$0" "$1" serve --config "$2" >"$3"`,
      process.execPath,
      main,
      files.configFile,
      scratch.file('gateway.log'),
    ],
  });
  await child.waitForPort(files.port, 20_000);
  return child;
}
