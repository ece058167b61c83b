import { writeFile } from 'node:fs/promises';
import { type AskingPlaces, type AskingProxy, exampleWith } from './asking-proxy.ts';
import { findProgram } from './requirement.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch } from './scratch.ts';

/** Starts Debian's Caddy with `examples/caddy/Caddyfile`. */
export async function startAskingCaddy(places: AskingPlaces): Promise<AskingProxy> {
  const command = findProgram('caddy');
  if (command === null) throw new Error('caddy is not installed');
  const scratch = await makeScratch('asking-caddy');
  const { text, port } = await exampleWith('caddy/Caddyfile', places);
  const file = scratch.file('Caddyfile');
  await writeFile(file, text);
  const env = { XDG_DATA_HOME: scratch.path, XDG_CONFIG_HOME: scratch.path };
  const args = ['run', '--config', file, '--adapter', 'caddyfile'];
  return { port, stop: await startScratchServer({ label: 'caddy', command, args, env }, port, scratch) };
}
