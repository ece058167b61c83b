import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type AskingPlaces, type AskingProxy, exampleFile, exampleWith } from './asking-proxy.ts';
import { findProgram } from './requirement.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch } from './scratch.ts';

/** Starts Debian's HAProxy with `examples/haproxy`. */
export async function startAskingHaproxy(places: AskingPlaces): Promise<AskingProxy> {
  const command = findProgram('haproxy');
  if (command === null) throw new Error('haproxy is not installed');
  const scratch = await makeScratch('asking-haproxy');
  const { text, port } = await exampleWith('haproxy/haproxy.cfg', places);
  const action = '/etc/haproxy/latchkey.lua';
  assert.ok(text.includes(action));
  await writeFile(scratch.file('haproxy.cfg'), text.replace(action, exampleFile('haproxy/latchkey.lua')));
  const args = ['-db', '-f', scratch.file('haproxy.cfg')];
  return { port, stop: await startScratchServer({ label: 'haproxy', command, args }, port, scratch) };
}
