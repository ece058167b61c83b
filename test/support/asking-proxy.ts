import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { freePort } from './free-port.ts';

/** What a proxy that asks Latchkey stands between. */
export interface AskingPlaces {
  readonly doorsPort: number;
  readonly backendPort: number;
}

/** A proxy that asks Latchkey about each request, as one of `examples/` says. */
export interface AskingProxy {
  readonly port: number;
  stop(): Promise<void>;
}

/** Where the examples say that things are: the proxy itself, the doors, the backend. */
const written = { proxy: '127.0.0.1:8000', doors: '127.0.0.1:8082', backend: '127.0.0.1:8008' };

/** The text of a file below `examples/` with free ports in place of those it names, and nothing else changed. */
export async function exampleWith(
  name: string,
  { doorsPort, backendPort }: AskingPlaces,
): Promise<{ readonly text: string; readonly port: number }> {
  const port = await freePort();
  let text = await readFile(new URL(`../../examples/${name}`, import.meta.url), 'utf8');
  for (const [place, real] of [
    [written.proxy, port],
    [written.doors, doorsPort],
    [written.backend, backendPort],
  ] as const) {
    assert.ok(text.includes(place), `${name} names ${place}`);
    text = text.replaceAll(place, `127.0.0.1:${real}`);
  }
  return { text, port };
}
