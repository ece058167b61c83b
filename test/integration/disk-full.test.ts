import assert from 'node:assert/strict';
import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { openAssertionKey } from '../../src/compose/assertion-key.ts';
import { Fault } from '../../src/core/errors.ts';
import { systemRandom } from '../../src/core/random.ts';
import { openPeppers } from '../../src/tokens/pepper-file.ts';
import { type CommandOutcome, runCommand } from '../support/command-line.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { type Gateway, route, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { mountSmallDisk, requireSmallDisk, type SmallDisk } from '../support/small-disk.ts';
import {
  gatewayPeppers,
  type OfficeToken,
  openTokenOffice,
  type TokenOffice,
} from '../support/token-office.ts';

const needed = requireSmallDisk();

describe('a disk that is full under a running gateway', needed, () => {
  let disk: SmallDisk;
  let backend: RecordingBackend;
  let gateway: Gateway;
  let office: TokenOffice;
  const many: OfficeToken[] = [];
  before(async () => {
    disk = await mountSmallDisk(12_000_000);
    backend = await startRecordingBackend();
    office = await openTokenOffice(disk.file('latchkey.db'), null);
    for (let count = 0; count < 300; count++) many.push(await office.mint('alice'));
    // Its last user takes the long log of all this away: what the gateway sets aside is all there is.
    await office.close();
    gateway = await startGateway({
      routes: [route({ backend: backend.url, spool: true })],
      config: {
        ...gatewayPeppers.config,
        dataDir: disk.path,
        store: `sqlite:${disk.file('latchkey.db')}`,
      },
      env: gatewayPeppers.env,
    });
    office = await openTokenOffice(disk.file('latchkey.db'), null);
    // Not waited for by a gateway that starts.
    await eventually(
      'room to be set aside',
      async () => (await stat(disk.file('latchkey.db'))).size > 500_000,
    );
  });
  after(() =>
    endAll(
      () => office?.close(),
      () => gateway?.stop(),
      () => backend?.close(),
      () => disk?.remove(),
    ),
  );

  afterEach(() => disk.makeRoom());

  const ask = async (token: string): Promise<number> =>
    status(await exchange(gateway.port, 'GET', '/a', [`Authorization: Bearer ${token}`]));

  test('refuses nobody: tokens go on, and can be revoked by the hundred and made', async () => {
    const [known, unknown] = [await office.mint('alice'), await office.mint('alice')];
    assert.equal(await ask(known.secret), 200);
    const { size } = await stat(disk.file('latchkey.db-wal'));
    assert.ok(size < 400_000, `a log of ${size} bytes`);
    disk.fill();
    assert.deepEqual([await ask(known.secret), await ask(unknown.secret)], [200, 200]);
    for (const { id } of [known, ...many]) await office.revoke(id);
    await eventually('the token to be refused', async () => (await ask(known.secret)) === 401);
    for (const { secret } of many.slice(-3)) assert.equal(await ask(secret), 401);
    assert.equal(await ask((await office.mint('alice')).secret), 200);
    assert.equal(await gateway.adminStatus('/readyz'), 200);
  });

  test('answers 507 to an upload that has to be held there, and takes it once there is room', async () => {
    const { secret } = await office.mint('alice');
    const body = 'x'.repeat(100_000);
    const put = async (): Promise<number> => {
      const raw = await openRaw(gateway.port);
      const fields = [`Authorization: Bearer ${secret}`, 'Transfer-Encoding: chunked'];
      await raw.send(head('PUT', '/a', fields));
      await raw.send(`${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
      const answer = await raw.nextResponse();
      raw.destroy();
      return status(answer);
    };
    disk.fill();
    backend.forget();
    assert.equal(await put(), 507);
    assert.equal(backend.text(), '', 'half an upload is none');
    await disk.makeRoom();
    assert.equal(await put(), 200);
    assert.equal(backend.requests[0]?.body.length, body.length);
  });
});

describe('a disk that is full before the gateway starts', needed, () => {
  let disk: SmallDisk;
  let scratch: Scratch;
  beforeEach(async () => {
    disk = await mountSmallDisk(1_500_000);
    scratch = await makeScratch('disk-full');
    await writeFile(
      scratch.file('latchkey.yaml'),
      JSON.stringify({ dataDir: disk.path, store: `sqlite:${disk.file('latchkey.db')}` }),
    );
  });
  afterEach(() =>
    endAll(
      () => disk.remove(),
      () => scratch.remove(),
    ),
  );

  const run = (...args: readonly string[]): Promise<CommandOutcome> =>
    runCommand([...args, '--config', scratch.file('latchkey.yaml')], { cwd: scratch.path });
  const succeed = async (...args: readonly string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(...args);
    assert.equal(exitCode, 0, stderr);
    return stdout;
  };

  test('ends a command that changes something with 1 and the reason; the store is whole, and takes it later', async () => {
    await succeed('user', 'add', 'alice');
    const made = await succeed(
      ...['token', 'create', '--user', 'alice', '--name', 'x', '--scope', '*', '--json'],
    );
    const { id } = JSON.parse(made) as { readonly id: string };
    disk.fill();
    for (const args of [
      ['token', 'revoke', id],
      ['serve', '--backend', 'http://127.0.0.1:9'],
    ]) {
      const { exitCode, stderr } = await run(...args);
      assert.deepEqual([exitCode, /the disk is full; make room there/.test(stderr)], [1, true], stderr);
    }
    await disk.makeRoom();
    assert.equal(await succeed('token', 'revoke', id), `${id}\n`);
  });

  test('takes no restore, which says so and leaves nothing behind', async () => {
    const backup = scratch.file('whole.backup');
    await succeed('user', 'add', 'alice');
    await succeed('token', 'create', '--user', 'alice', '--name', 'x', '--scope', '*');
    await succeed('backup', backup);
    for (const name of await readdir(disk.path)) await rm(disk.file(name));
    disk.fill();
    const { exitCode, stderr } = await run('restore', backup);
    assert.equal(exitCode, 1);
    assert.match(
      stderr,
      /^latchkey: The file \S+pepper cannot be written: the disk is full; make room there\.\n$/,
    );
    await disk.makeRoom();
    assert.deepEqual(await readdir(disk.path), []);
    await succeed('restore', backup);
  });

  test('leaves no half-made pepper and no half-made key behind at the first start', async () => {
    disk.fill();
    const store = { pepperIdsInUse: () => Promise.resolve([]) };
    const place = { configured: null, file: disk.file('pepper'), store, randomBytes: systemRandom };
    await assert.rejects(openPeppers(place), Fault);
    assert.throws(() => openAssertionKey(null, disk.path), Fault);
    await disk.makeRoom();
    assert.deepEqual(await readdir(disk.path), []);
    assert.equal((await openPeppers(place)).ids.length, 1);
    const key = openAssertionKey(null, disk.path);
    assert.deepEqual(openAssertionKey(null, disk.path), key);
    assert.deepEqual((await readdir(disk.path)).toSorted(), ['assertion-key.pem', 'pepper']);
  });
});
