import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { type AskingPlaces, type AskingProxy, exampleFile } from './asking-proxy.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { status } from './http-message.ts';
import { exchange } from './raw-client.ts';
import { findProgram } from './requirement.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch } from './scratch.ts';

/** Starts Traefik with `examples/traefik`. */
export async function startAskingTraefik({ doorsPort, backendPort }: AskingPlaces): Promise<AskingProxy> {
  const command = findProgram('traefik');
  if (command === null) throw new Error('traefik is not installed');
  const scratch = await makeScratch('asking-traefik');
  const port = await freePort();
  const write = async (name: string, changes: readonly (readonly [string, string])[]): Promise<void> => {
    let text = await readFile(exampleFile(`traefik/${name}`), 'utf8');
    for (const [written, real] of changes) {
      assert.ok(text.includes(written), `${name} names ${written}`);
      text = text.replaceAll(written, real);
    }
    await writeFile(scratch.file(name), text);
  };
  await write('traefik.yaml', [
    [':8000', `:${port}`],
    ['filename: /etc/traefik/latchkey.yaml', `filename: ${scratch.file('latchkey.yaml')}`],
  ]);
  await write('latchkey.yaml', [
    [':8082', `:${doorsPort}`],
    [':8008', `:${backendPort}`],
  ]);
  const args = [`--configFile=${scratch.file('traefik.yaml')}`];
  const stop = await startScratchServer({ label: 'traefik', command, args }, port, scratch);
  // It listens before it has read its routes.
  await eventually('a route', async () => status(await exchange(port, 'GET', '/')) !== 404);
  return { port, stop };
}
