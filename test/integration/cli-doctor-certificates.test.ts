import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { runCommand } from '../support/command-line.ts';
import { makeCertificates } from '../support/certificates.ts';
import { endAll } from '../support/end-all.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

describe('the doctor of a backend over TLS', () => {
  let scratch: Scratch;
  let other: Scratch;
  const open: (() => Promise<unknown>)[] = [];
  const origins: Record<string, string> = {};
  before(async () => {
    scratch = await makeScratch('doctor-tls');
    other = await makeScratch('doctor-tls-other');
    const ca = await makeCertificates(scratch);
    await makeCertificates(other);
    const [cert, key] = await Promise.all(
      ['server.pem', 'server.key'].map((file) => readFile(scratch.file(file), 'utf8')),
    );
    for (const [name, options] of [
      ['plain', {}],
      ['asking', { ca, requestCert: true, rejectUnauthorized: true }],
      ['asking by TLS 1.2', { ca, requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' }],
    ] as const) {
      const server = createServer({ cert, key, ...options }, (_incoming, response) => response.end());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      open.push(() => new Promise((resolve) => server.close(resolve)));
      origins[name] = `https://localhost:${(server.address() as AddressInfo).port}`;
    }
  });
  after(() =>
    endAll(
      ...open,
      () => scratch?.remove(),
      () => other?.remove(),
    ),
  );

  /** What the doctor says first of this backend. */
  async function said(name: string, fields: object): Promise<string> {
    const backend = origins[name];
    const one = { name: 'files', match: { path: '/' }, kind: 'rest', backend, ...fields };
    const file = scratch.file('latchkey.yaml');
    await writeFile(file, JSON.stringify({ dataDir: scratch.file('data'), routes: [one] }));
    const { stdout } = await runCommand(['doctor', '--config', file, '--json'], { cwd: scratch.path });
    const findings = JSON.parse(stdout) as readonly Readonly<Record<string, string>>[];
    const { level, message } = findings.find(({ subject }) => subject === `route files: ${backend}`) ?? {};
    return `${level} ${message}`;
  }
  const pair = (from: Scratch): object => ({
    cert: { fromFile: from.file('server.pem') },
    key: { fromFile: from.file('server.key') },
  });
  const trusting = (): object => ({ backendCa: { fromFile: scratch.file('ca.pem') } });

  test('trusts its certificate by the authority that the route names, and by no other', async () => {
    assert.equal(await said('plain', trusting()), 'ok answers OPTIONS / with 200');
    assert.match(await said('plain', {}), /^fail shows a certificate that is not trusted/);
    const backendCa = { fromFile: other.file('ca.pem') };
    assert.match(await said('plain', { backendCa }), /^fail shows a certificate that is not trusted/);
  });

  for (const name of ['asking', 'asking by TLS 1.2']) {
    test(`shows the certificate of the gateway, and says where one is missing or refused (${name})`, async () => {
      // What Node's server does not accept it may cut off without a word.
      const wants = /^fail (?:refuses the handshake, as where it wants a certificate|cuts the connection)/;
      assert.equal(
        await said(name, { ...trusting(), backendTls: pair(scratch) }),
        'ok answers OPTIONS / with 200',
      );
      assert.match(await said(name, trusting()), wants);
      assert.match(await said(name, { ...trusting(), backendTls: pair(other) }), wants);
    });
  }
});
