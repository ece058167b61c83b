import { mkdir } from 'node:fs/promises';
import { startChild } from './child-process.ts';
import type { FolderServer } from './folder-server.ts';
import { freePort } from './free-port.ts';
import { findProgram } from './requirement.ts';
import { makeScratch } from './scratch.ts';

/** Starts `rclone serve webdav`, which is Go's own WebDAV handler over a folder, remembering nothing of it. */
export async function startRcloneDav(args: readonly string[] = []): Promise<FolderServer> {
  const command = findProgram('rclone');
  if (command === null) throw new Error('rclone is not installed');
  const scratch = await makeScratch('rclone-dav');
  const port = await freePort();
  const folder = scratch.file('served');
  await mkdir(folder);
  const child = startChild({
    label: 'rclone serve webdav',
    command,
    args: [
      ...['serve', 'webdav', folder, '--addr', `127.0.0.1:${port}`, '--baseurl', 'dav'],
      ...[
        '--config',
        scratch.file('rclone.conf'),
        '--dir-cache-time',
        '0s',
        '--poll-interval',
        '0s',
        ...args,
      ],
    ],
  });
  const stop = async (): Promise<void> => {
    await child.stop();
    await scratch.remove();
  };
  try {
    await child.waitForPort(port, 20_000);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://127.0.0.1:${port}`, folder, stop };
}
