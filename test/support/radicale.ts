import { mkdir, writeFile } from 'node:fs/promises';
import { freePort } from './free-port.ts';
import { findProgram } from './requirement.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch } from './scratch.ts';

/** A real Radicale that believes the X-Remote-User header. */
export interface Radicale {
  readonly port: number;
  /** Origin, without a slash at its end. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Starts Radicale in a scratch folder on a free port. */
export async function startRadicale(): Promise<Radicale> {
  const command = findProgram('radicale');
  if (command === null) throw new Error('radicale is not installed');
  const scratch = await makeScratch('radicale');
  const port = await freePort();
  await mkdir(scratch.file('collections'));
  await writeFile(
    scratch.file('config'),
    `[server]
hosts = 127.0.0.1:${port}
[auth]
type = http_x_remote_user
[rights]
type = owner_only
[storage]
filesystem_folder = ${scratch.file('collections')}
[web]
type = none
`,
  );
  const args = ['--config', scratch.file('config')];
  const stop = await startScratchServer({ label: 'radicale', command, args }, port, scratch);
  return { port, url: `http://127.0.0.1:${port}`, stop };
}
