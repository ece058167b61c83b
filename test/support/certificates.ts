import { readFile } from 'node:fs/promises';
import { run } from './child-process.ts';
import type { Scratch } from './scratch.ts';

/**
 * Puts an authority (ca.pem, ca.key) and a certificate of it for 127.0.0.1 and localhost (server.pem, server.key) into
 * the folder. Resolves to the authority's PEM text. Needs openssl.
 */
export async function makeCertificates(scratch: Scratch): Promise<string> {
  const openssl = async (...args: readonly string[]): Promise<void> => {
    const done = await run({ label: 'openssl', command: 'openssl', args, cwd: scratch.path });
    if (done.code !== 0) throw new Error(`openssl ${args.join(' ')}: ${done.stderr}`);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  await openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=Test authority');
  await openssl(
    ...[
      'req',
      '-x509',
      ...key,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-keyout',
      'server.key',
      '-out',
      'server.pem',
    ],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1,DNS:localhost'],
    ...['-addext', 'basicConstraints=critical,CA:FALSE'],
  );
  return readFile(scratch.file('ca.pem'), 'utf8');
}
