import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
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

/** The ports that the examples name: of the proxy itself, of the doors, of the backend. */
const written = { proxy: '8000', doors: '8082', backend: '8008' };

/** The file below `examples/`. */
export function exampleFile(name: string): string {
  return fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
}

/** The text of a file below `examples/` with free ports in place of those it names, and nothing else changed. */
export async function exampleWith(
  name: string,
  { doorsPort, backendPort }: AskingPlaces,
): Promise<{ readonly text: string; readonly port: number }> {
  const port = await freePort();
  let text = await readFile(exampleFile(name), 'utf8');
  for (const [place, real] of [
    [written.proxy, port],
    [written.doors, doorsPort],
    [written.backend, backendPort],
  ] as const) {
    assert.ok(text.includes(`:${place}`), `${name} names port ${place}`);
    text = text.replaceAll(`:${place}`, `:${real}`);
  }
  return { text, port };
}
