import { mkdir } from 'node:fs/promises';
import type { FolderServer } from './folder-server.ts';
import { freePort } from './free-port.ts';
import { findProgram } from './requirement.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch } from './scratch.ts';

/** Starts `rclone serve webdav`, which is Go's own WebDAV handler over a folder, remembering nothing of it. */
export async function startRcloneDav(args: readonly string[] = []): Promise<FolderServer> {
  const command = findProgram('rclone');
  if (command === null) throw new Error('rclone is not installed');
  const scratch = await makeScratch('rclone-dav');
  const port = await freePort();
  const folder = scratch.file('served');
  await mkdir(folder);
  const line = [
    ...['serve', 'webdav', folder, '--addr', `127.0.0.1:${port}`, '--baseurl', 'dav'],
    ...['--config', scratch.file('rclone.conf'), '--dir-cache-time', '0s', '--poll-interval', '0s', ...args],
  ];
  const server = { label: 'rclone serve webdav', command, args: line };
  const stop = await startScratchServer(server, port, scratch);
  return { url: `http://127.0.0.1:${port}`, folder, stop };
}
