import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { run } from '../support/child-process.ts';
import { runCommand } from '../support/command-line.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { startWire, type Wire } from './wire.ts';

describe('a store that is gone', () => {
  let wire: Wire;
  before(async () => {
    wire = await startWire();
  });
  after(() => wire?.stop());

  test('is answered 503: neither an allow nor the 401 that makes clients forget a good token [S10, GHSA-9g5w-hqr3-w2ph]', async () => {
    const known = await wire.bearer('*');
    const other = await wire.bearer('path:/dav/:rw');
    const ask = async (...fields: readonly string[]): Promise<number> =>
      status(await exchange(wire.gateway.port, 'GET', '/dav/a', fields));
    assert.equal(await ask(known), 200);
    for (const suffix of ['', '-wal', '-shm']) {
      await rm(`${wire.gateway.dataDir}/latchkey.db${suffix}`, { force: true });
    }
    // What is remembered may go on until the journal has been silent for four seconds, then nothing may.
    await eventually('a remembered token to be answered 503', async () => (await ask(known)) === 503, {
      withinMs: 15_000,
    });
    wire.backend.forget();
    assert.equal(await ask(known), 503);
    assert.equal(await ask(other), 503, 'a token never looked at');
    assert.equal(await ask(), 401, 'who brings nothing is asked for a credential all the same');
    assert.equal(wire.backend.text(), '');
  });
});

describe('a secret that cannot be loaded', () => {
  let scratch: Scratch;
  before(async () => {
    scratch = await makeScratch('missing-secrets');
  });
  after(() => scratch?.remove());

  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  async function configure(config: Readonly<Record<string, unknown>>): Promise<string> {
    const [port, adminPort] = [await freePort(), await freePort()];
    const file = scratch.file('latchkey.yaml');
    const common = {
      listen: { host: '127.0.0.1', port },
      admin: { host: '127.0.0.1', port: adminPort },
      dataDir: scratch.file('data'),
    };
    await writeFile(file, JSON.stringify({ ...common, backend: 'http://127.0.0.1:9', ...config }));
    return file;
  }
  /** Starts a gateway, which has to end at once with code 1. Resolves to what it says. */
  async function assertStartFails(config: Readonly<Record<string, unknown>>): Promise<string> {
    const args = [main, 'serve', '--config', await configure(config)];
    const label = `latchkey serve with ${JSON.stringify(config)}`;
    const ended = await run({ label, command: process.execPath, args, cwd: scratch.path, withinMs: 40_000 });
    assert.equal(ended.code, 1, `${label}: ${ended.stdout}${ended.stderr}`);
    return ended.stderr;
  }

  test('stops the start, whatever it is for: nothing runs with less than was configured [S11, CVE-2026-54762, CVE-2026-27586]', async () => {
    const gone = { fromFile: scratch.file('gone') };
    const route = { name: 'files', match: { path: '/' }, backend: 'https://127.0.0.1:9' };
    for (const config of [
      { peppers: [{ id: 'a', secret: gone }] },
      { assertionKey: gone },
      { backend: undefined, routes: [{ ...route, backendCa: gone, backendAuth: { sharedSecret: gone } }] },
    ]) {
      assert.match(await assertStartFails(config), /gone/, JSON.stringify(config));
    }
  });

  test('stops the start where it made the tokens that exist: no new one is made in its place [S11, CVE-2026-54762]', async () => {
    const file = await configure({});
    for (const args of [
      ['user', 'add', 'alice'],
      ['token', 'create', '--user', 'alice', '--name', 'x', '--scope', '*'],
    ]) {
      const { exitCode, stderr } = await runCommand([...args, '--config', file], { cwd: scratch.path });
      assert.equal(exitCode, 0, stderr);
    }
    await rm(scratch.file('data', 'pepper'));
    assert.match(await assertStartFails({}), /pepper/i);
  });
});
