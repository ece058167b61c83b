import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { eventually, within } from '../support/eventually.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import type { Told } from '../support/token-changer.ts';
import { gatewayPeppers, openTokenOffice, type TokenOffice } from '../support/token-office.ts';

let scratch: Scratch;
let backend: RecordingBackend;
let office: TokenOffice;
before(async () => {
  scratch = await makeScratch('killed');
  backend = await startRecordingBackend();
  office = await openTokenOffice(scratch.file('latchkey.db'), null);
});
after(() =>
  endAll(
    () => office?.close(),
    () => backend?.close(),
    () => scratch?.remove(),
  ),
);

const start = (): Promise<Gateway> =>
  startGateway({
    backend: backend.url,
    config: { ...gatewayPeppers.config, store: `sqlite:${scratch.file('latchkey.db')}` },
    env: gatewayPeppers.env,
  });
const ask = async (gateway: Gateway, secret: string): Promise<number> =>
  status(await exchange(gateway.port, 'GET', '/a', [`Authorization: Bearer ${secret}`]));

async function kill(gateway: Gateway): Promise<void> {
  process.kill(gateway.pid, 'SIGKILL');
  await gateway.exited;
  await gateway.scratch.remove();
}

describe('a gateway that is killed', () => {
  test('with requests in flight passes on no half request, and comes back with every change that was acknowledged', async () => {
    const killed = await start();
    const [revoked, disabled, rotated, kept] = [
      ...[await office.mint('alice'), await office.mint('alice')],
      ...[await office.mint('alice'), await office.mint('alice')],
    ] as const;
    for (const { secret } of [revoked, disabled, rotated, kept]) assert.equal(await ask(killed, secret), 200);
    backend.forget();
    const upload = await openRaw(killed.port);
    const [arrived, answered] = [backend.nextHead(), once(upload.socket, 'close')];
    await upload.send(
      head('PUT', '/big', [`Authorization: Bearer ${kept.secret}`, 'Content-Length: 200000']),
    );
    await upload.send('x'.repeat(100_000));
    const { connection } = await arrived;
    await office.disable(disabled.id);
    const fresh = await office.rotate(rotated.id);
    await office.revoke(revoked.id);
    // Not a moment to hear of it, or to write the uses that are due.
    await kill(killed);
    await within('both connections to end', 5_000, Promise.all([connection.closed, answered]));
    assert.deepEqual([backend.requests.length, upload.responses.length], [0, 0]);

    const again = await start();
    const given = [];
    for (const secret of [revoked.secret, disabled.secret, rotated.secret, fresh, kept.secret])
      given.push(await ask(again, secret));
    // Told to end, it writes what it noted a moment ago.
    await again.stop();
    assert.deepEqual(given, [401, 401, 401, 200, 200]);
    assert.ok((await office.lastUsedAt(kept.id)) > Date.now() - 60_000);
  });
});

describe('a process that changes tokens and is killed', () => {
  let gateway: Gateway;
  before(async () => {
    gateway = await start();
  });
  after(() => gateway?.stop());

  test('at any moment has lost no change that it was told is made, and the store is whole', async () => {
    for (let round = 0; round < 5; round++) {
      const told: Told[] = [];
      const child = fork(new URL('../support/token-changer.ts', import.meta.url), [
        scratch.file('latchkey.db'),
      ]);
      child.on('message', (each: Told) => void told.push(each));
      const exited = once(child, 'exit');
      await eventually('some changes', () => told.length > 5 + round * 5, { withinMs: 20_000, everyMs: 1 });
      child.kill('SIGKILL');
      await exited;
      for (const { secret, revoked } of told) {
        if (!revoked) assert.equal(await ask(gateway, secret), 200);
        else await eventually('the refusal', async () => (await ask(gateway, secret)) === 401);
      }
    }
    // Opening checks the store, and replays what the last of them left in the log.
    const checked = await openTokenOffice(scratch.file('latchkey.db'), null);
    const token = await checked.mint('alice');
    await checked.close();
    assert.equal(await ask(gateway, token.secret), 200);
  });
});
