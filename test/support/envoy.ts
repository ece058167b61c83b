import { readFile, writeFile } from 'node:fs/promises';
import { freePort } from './free-port.ts';
import { findProgram } from './requirement.ts';
import { startScratchServer } from './scratch-server.ts';
import { makeScratch } from './scratch.ts';

/** A running Envoy. */
export interface Envoy {
  readonly port: number;
  stop(): Promise<void>;
}

/** Where things are that an example's configuration names by its own ports. */
export interface EnvoySurroundings {
  readonly backend: number;
  readonly doors: number;
  readonly grpc: number;
}

/**
 * Starts Envoy with a configuration of examples/envoy/, its ports replaced; `edit` may change the text further.
 * @throws Error with Envoy's own log where it does not start
 */
export async function startEnvoy(
  example: 'http.yaml' | 'grpc.yaml',
  { backend, doors, grpc }: EnvoySurroundings,
  edit: (text: string) => string = (text) => text,
): Promise<Envoy> {
  const command = findProgram('envoy');
  if (command === null) throw new Error('envoy is not installed');
  const scratch = await makeScratch('envoy');
  const port = await freePort();
  const shipped = await readFile(new URL(`../../examples/envoy/${example}`, import.meta.url), 'utf8');
  const ports: Readonly<Record<string, number>> = { 8000: port, 8008: backend, 8082: doors, 8083: grpc };
  const text = shipped.replaceAll(
    /(port_value: |127\.0\.0\.1:)(80\d\d)/g,
    (_, before: string, old: string) => {
      const other = ports[old];
      if (other === undefined) throw new Error(`${example} names port ${old}, which this test does not know`);
      return `${before}${other}`;
    },
  );
  await writeFile(scratch.file('envoy.yaml'), edit(text));
  const log = scratch.file('envoy.log');
  const args = [
    ...['-c', scratch.file('envoy.yaml'), '--log-path', log, '-l', 'warning'],
    ...['--concurrency', '1', '--disable-hot-restart'],
  ];
  const stop = await startScratchServer({ label: 'envoy', command, args }, port, scratch, log);
  return { port, stop };
}
