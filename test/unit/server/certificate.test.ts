import assert from 'node:assert/strict';
import { readFile, symlink, rename, rm, mkdir, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { ListenTlsConfig, TlsPair } from '../../../src/config/listen-config.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { type Certificate, createCertificate } from '../../../src/server/certificate.ts';
import type { Log } from '../../../src/telemetry/log.ts';
import { makeCertificates } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

/** A keeper that looks often, what it showed, and what it said. */
interface Kept {
  readonly certificate: Certificate;
  readonly shown: TlsPair[];
  readonly told: string[];
}

describe('the certificate for clients', () => {
  let scratch: Scratch;
  let first: TlsPair;
  let second: TlsPair;
  before(async () => {
    scratch = await makeScratch('certificate');
    first = await makePair();
    second = await makePair();
  });
  after(() => scratch?.remove());

  async function makePair(): Promise<TlsPair> {
    await makeCertificates(scratch);
    const read = async (name: string): Promise<string> =>
      (await readFile(scratch.file(name), 'utf8')).trimEnd();
    return { cert: await read('server.pem'), key: await read('server.key') };
  }

  /** Files with the first pair in a folder of their own, kept until the test ends. */
  async function keep(t: test.TestContext, folder: string, nowMs?: number): Promise<Kept & Files> {
    await mkdir(scratch.file(folder));
    const files = { certFile: scratch.file(folder, 'tls.crt'), keyFile: scratch.file(folder, 'tls.key') };
    await put(files, first);
    const tls: ListenTlsConfig = { ...first, ...files, http2: true };
    const shown: TlsPair[] = [];
    const told: string[] = [];
    const tell = (fields: object): void => void told.push(String((fields as { reason?: string }).reason));
    const log = { error: tell, warn: tell, info: () => undefined, debug: () => undefined } as unknown as Log;
    const clock = nowMs === undefined ? systemClock : { ...systemClock, now: () => nowMs };
    const use = (pair: TlsPair): void => void shown.push(pair);
    const certificate = createCertificate({ tls, clock, log, use, everyMs: 10 });
    t.after(() => certificate.stop());
    return { certificate, shown, told, ...files };
  }

  test('a pair whose files were replaced is shown', async (t) => {
    const kept = await keep(t, 'replaced');
    await put(kept, second);
    await eventually('the second pair', () => kept.shown.length > 0);
    assert.deepEqual(kept.shown, [second]);
    assert.equal(kept.certificate.isCurrent(), true);
    assert.deepEqual(kept.told, []);
  });

  test('a pair behind a symbolic link further up is shown when the link is swapped, as Kubernetes does', async (t) => {
    const kept = await keep(t, 'projected');
    await mkdir(scratch.file('projected', '..one'));
    await mkdir(scratch.file('projected', '..two'));
    const inFolder = (name: string): Files => ({
      certFile: scratch.file('projected', name, 'tls.crt'),
      keyFile: scratch.file('projected', name, 'tls.key'),
    });
    await put(inFolder('..one'), first);
    await put(inFolder('..two'), second);
    await symlink('..one', scratch.file('projected', '..data'));
    for (const [file, name] of [
      [kept.certFile, 'tls.crt'],
      [kept.keyFile, 'tls.key'],
    ] as const) {
      await rm(file);
      await symlink(`..data/${name}`, file);
    }
    await eventually('the files to be there again', () => kept.certificate.isCurrent());
    await symlink('..two', scratch.file('projected', '..data_tmp'));
    await rename(scratch.file('projected', '..data_tmp'), scratch.file('projected', '..data'));
    await eventually('the second pair', () => kept.shown.length > 0);
    assert.deepEqual(kept.shown, [second]);
  });

  const broken: readonly (readonly [string, (files: Files) => Promise<void>, RegExp])[] = [
    [
      'a key of another certificate',
      (files) => writeFile(files.keyFile, second.key),
      /^listen\.tls\.key is not the key of the first certificate/,
    ],
    [
      'a certificate that is none',
      (files) => writeFile(files.certFile, 'half a fi'),
      /^listen\.tls\.cert holds no readable PEM certificate/,
    ],
    [
      'a file that is away',
      (files) => rm(files.keyFile),
      /^listen\.tls\.key holds no readable PEM private key/,
    ],
  ];
  for (const [what, breakIt, reason] of broken) {
    test(`${what} changes nothing, is told once, and is over as soon as the pair is whole`, async (t) => {
      const kept = await keep(t, what.replaceAll(' ', '-'));
      await breakIt(kept);
      await eventually('the complaint', () => kept.told.length > 0);
      assert.equal(kept.certificate.isCurrent(), false);
      assert.match(kept.told[0] ?? '', reason);
      assert.deepEqual(kept.shown, []);
      await put(kept, second);
      await eventually('the second pair', () => kept.shown.length > 0);
      assert.equal(kept.certificate.isCurrent(), true);
      assert.equal(kept.told.length, 1);
    });
  }

  test('a pair that has expired is told at the start, and not taken in place of another', async (t) => {
    const kept = await keep(t, 'expired', Date.now() + 400 * 86_400_000);
    assert.match(kept.told[0] ?? '', /^expired on /);
    kept.certificate.replace({ ...second, certFile: null, keyFile: null, http2: true });
    assert.deepEqual(kept.shown, []);
    assert.equal(kept.certificate.isCurrent(), false);
    assert.match(kept.told[1] ?? '', /^listen\.tls\.cert expired on /);
  });

  test('a pair that a reload brings is shown at once, and its files are the ones looked at', async (t) => {
    const kept = await keep(t, 'reloaded');
    kept.certificate.replace({ ...second, certFile: null, keyFile: null, http2: true });
    assert.deepEqual(kept.shown, [second]);
    assert.equal(kept.certificate.isCurrent(), true);
  });
});

interface Files {
  readonly certFile: string;
  readonly keyFile: string;
}

async function put({ certFile, keyFile }: Files, { cert, key }: TlsPair): Promise<void> {
  await writeFile(certFile, `${cert}\n`);
  await writeFile(keyFile, `${key}\n`);
}
