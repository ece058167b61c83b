import assert from 'node:assert/strict';
import { mkdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { runCommand } from '../support/command-line.ts';
import { endAll } from '../support/end-all.ts';
import { eventually, within } from '../support/eventually.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { gatewayPeppers, openTokenOffice, type TokenOffice } from '../support/token-office.ts';

let scratch: Scratch;
let backend: RecordingBackend;
before(async () => {
  scratch = await makeScratch('store-outages');
  backend = await startRecordingBackend();
});
after(() =>
  endAll(
    () => backend?.close(),
    () => scratch?.remove(),
  ),
);

const start = (store: string, more: Parameters<typeof startGateway>[0] = gatewayPeppers): Promise<Gateway> =>
  startGateway({ backend: backend.url, ...more, config: { ...more.config, store: `sqlite:${store}` } });
const ask = async (gateway: Gateway, secret: string): Promise<number> =>
  status(await exchange(gateway.port, 'GET', '/a', [`Authorization: Bearer ${secret}`]));

describe('a store that another process keeps locked', () => {
  let gateway: Gateway;
  let office: TokenOffice;
  let other: DatabaseSync;
  before(async () => {
    const store = scratch.file('locked', 'latchkey.db');
    gateway = await start(store);
    office = await openTokenOffice(store, null);
    other = new DatabaseSync(store);
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => office?.close(),
    ),
  );

  test('is read as ever, and a revocation waits until it can be written', async () => {
    const [known, unknown] = [await office.mint('alice'), await office.mint('alice')];
    assert.equal(await ask(gateway, known.secret), 200);
    other.exec('BEGIN EXCLUSIVE');
    let isRevoked = false;
    const revoking = office.revoke(known.id).then(() => (isRevoked = true));
    try {
      await delay(1_000);
      assert.deepEqual([await ask(gateway, known.secret), await ask(gateway, unknown.secret)], [200, 200]);
      assert.equal(await gateway.adminStatus('/readyz'), 200);
      assert.equal(isRevoked, false);
    } finally {
      other.exec('COMMIT');
    }
    await revoking;
    await eventually('the refusal', async () => (await ask(gateway, known.secret)) === 401);
  });

  test('keeps no gateway from ending, which gives up the uses that it could not write', async () => {
    const token = await office.mint('alice');
    other.exec('BEGIN EXCLUSIVE');
    assert.equal(await ask(gateway, token.secret), 200);
    gateway.term();
    assert.deepEqual(await within('the exit', 25_000, gateway.exited), { code: 0, signal: null });
    assert.match(gateway.output(), /last uses could not be written/);
    other.exec('COMMIT');
    other.close();
  });
});

describe('a store file that is lost under a running gateway', () => {
  let gateway: Gateway;
  let office: TokenOffice;
  let folder: string;
  let store: string;
  before(async () => {
    folder = scratch.file('lost');
    store = scratch.file('lost', 'latchkey.db');
    gateway = await start(store);
    office = await openTokenOffice(store, null);
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => office?.close(),
    ),
  );

  /** Loses the file for tokens that nothing remembers, with that in the log, and finds it again. */
  async function assertLostAndFound(lose: () => Promise<void>, find: () => Promise<void>, why: RegExp) {
    const [known, unknown] = [await office.mint('alice'), await office.mint('alice')];
    assert.equal(await ask(gateway, known.secret), 200);
    const told = gateway.output().length;
    await lose();
    backend.forget();
    try {
      assert.equal(await ask(gateway, unknown.secret), 503);
      assert.equal(backend.text(), '');
      assert.equal(await gateway.adminStatus('/readyz'), 503);
      await eventually('the reason in the log', () => why.test(gateway.output().slice(told)));
    } finally {
      await find();
    }
    assert.deepEqual([await ask(gateway, known.secret), await ask(gateway, unknown.secret)], [200, 200]);
    assert.equal(await gateway.adminStatus('/readyz'), 200);
    await office.revoke(known.id);
    await eventually('the refusal', async () => (await ask(gateway, known.secret)) === 401);
  }

  test('moved away is missed at once, and found again where it comes back', () =>
    assertLostAndFound(
      () => rename(store, `${store}.away`),
      () => rename(`${store}.away`, store),
      /store_unavailable.*removed or replaced/,
    ));

  test('replaced by another store is not trusted, however good that is', async () => {
    const another = await openTokenOffice(`${store}.other`, null);
    const { secret } = await another.mint('alice');
    await another.close();
    await assertLostAndFound(
      async () => {
        await rename(store, `${store}.away`);
        await rename(`${store}.other`, store);
        assert.equal(await ask(gateway, secret), 503);
      },
      () => rename(`${store}.away`, store),
      /store_unavailable.*removed or replaced/,
    );
  });

  test('whose folder cannot be looked into is as good as gone', () =>
    assertLostAndFound(
      async () => {
        await rename(folder, `${folder}.away`);
        await symlink(folder, folder);
      },
      async () => {
        await rm(folder);
        await rename(`${folder}.away`, folder);
      },
      /store_unavailable/,
    ));

  test('damaged is never believed', async () => {
    const checkpointed = new DatabaseSync(store);
    const token = await office.mint('alice');
    checkpointed.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    const whole = await readFile(store);
    // In place: it stays the same file. The header stays, so that it still looks like a store.
    const damaged = Buffer.concat([whole.subarray(0, 100), Buffer.alloc(whole.length - 100, 0x5a)]);
    await overwrite(store, damaged);
    // A new log begins, and what is remembered of the file counts no more.
    assert.throws(() => checkpointed.exec('BEGIN IMMEDIATE; CREATE TABLE scratch (a); COMMIT'));
    try {
      const answer = await ask(gateway, token.secret);
      assert.equal(answer, 503);
    } finally {
      await overwrite(store, whole);
      checkpointed.close();
    }
    // What was read of the damage counts until somebody writes.
    await office.mint('alice');
    assert.equal(await ask(gateway, token.secret), 200);
  });
});

async function overwrite(path: string, bytes: Buffer): Promise<void> {
  await writeFile(path, bytes, { flag: 'r+' });
}

describe('a pepper file that is lost under a running gateway', () => {
  test('is missed by what makes tokens and by the next start; all else goes on, and so does all with it put back', async (t) => {
    await mkdir(scratch.file('peppered'), { recursive: true });
    const store = scratch.file('peppered', 'latchkey.db');
    const gateway = await start(store, {});
    t.after(() => gateway.stop());
    const run = (...args: readonly string[]) =>
      runCommand([...args, '--config', gateway.configFile], { cwd: gateway.scratch.path });
    const create = ['token', 'create', '--user', 'alice', '--name', 'x', '--scope', '*', '--json'];
    await run('user', 'add', 'alice');
    const made = [
      JSON.parse((await run(...create)).stdout),
      JSON.parse((await run(...create)).stdout),
    ] as const;
    const [one, other] = made as readonly { readonly id: string; readonly value: string }[];
    assert.ok(one && other);
    const pepper = `${gateway.dataDir}/pepper`;
    await rename(pepper, `${pepper}.away`);
    assert.deepEqual([await ask(gateway, one.value), await ask(gateway, other.value)], [200, 200]);
    assert.equal((await run(...create)).exitCode, 1);
    assert.equal((await run('token', 'revoke', one.id)).exitCode, 0);
    await eventually('the refusal', async () => (await ask(gateway, one.value)) === 401);
    const started = await run('serve', '--port', '0');
    assert.deepEqual(
      [started.exitCode, /pepper file .* missing/.test(started.stderr)],
      [1, true],
      started.stderr,
    );
    await rename(`${pepper}.away`, pepper);
    const { exitCode, stdout } = await run(...create);
    assert.equal(exitCode, 0);
    const { value } = JSON.parse(stdout) as { readonly value: string };
    assert.deepEqual([await ask(gateway, value), await ask(gateway, other.value)], [200, 200]);
  });
});
