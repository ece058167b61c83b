import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import type { ListenTlsConfig } from '../../../../src/config/listen-config.ts';
import { makeCertificates } from '../../../support/certificates.ts';
import { makeScratch } from '../../../support/scratch.ts';
import { type StartedListener, startListener } from '../listener-fixture.ts';

let pair: Promise<ListenTlsConfig> | null = null;

async function makePair(): Promise<ListenTlsConfig> {
  const scratch = await makeScratch('h2');
  await makeCertificates(scratch);
  const [cert, key] = await Promise.all([
    readFile(scratch.file('server.pem'), 'utf8'),
    readFile(scratch.file('server.key'), 'utf8'),
  ]);
  await scratch.remove();
  return { cert, key, certFile: null, keyFile: null, http2: true };
}

/** `startListener` with TLS and HTTP/2. */
export async function startH2Listener(
  t: TestContext,
  options: Omit<NonNullable<Parameters<typeof startListener>[1]>, 'tls'> = {},
): Promise<StartedListener> {
  pair ??= makePair();
  return startListener(t, { ...options, tls: await pair });
}
