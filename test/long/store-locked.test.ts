import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { runCommand } from '../support/command-line.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import {
  gatewayPeppers,
  type OfficeToken,
  openTokenOffice,
  type TokenOffice,
} from '../support/token-office.ts';

const lockedMs = 30_000;

let scratch: Scratch;
let backend: RecordingBackend;
let gateway: Gateway;
let office: TokenOffice;
before(async () => {
  scratch = await makeScratch('store-locked');
  backend = await startRecordingBackend();
  gateway = await start();
  office = await openTokenOffice(scratch.file('latchkey.db'), null);
});
after(() =>
  endAll(
    () => office?.close(),
    () => gateway?.stop(),
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
const ask = async (from: Gateway, { secret }: OfficeToken): Promise<number> =>
  status(await exchange(from.port, 'GET', '/a', [`Authorization: Bearer ${secret}`]));

test('a store that is locked for 30 s: every request is answered, a gateway starts, a revocation is refused with 1 and made later, uses are written', async () => {
  const tokens: OfficeToken[] = [];
  for (let count = 0; count < 50; count++) tokens.push(await office.mint('alice'));
  const [first] = tokens;
  assert.ok(first);
  assert.equal(await ask(gateway, first), 200);
  const other = new DatabaseSync(scratch.file('latchkey.db'));
  other.exec('BEGIN EXCLUSIVE');
  const revoke = () =>
    runCommand(['token', 'revoke', first.id, '--config', gateway.configFile], {
      cwd: gateway.scratch.path,
      env: gatewayPeppers.env,
    });
  let asked = 0;
  try {
    const refused = revoke();
    const late = await start();
    try {
      const end = performance.now() + lockedMs;
      while (performance.now() < end) {
        for (const token of tokens) {
          assert.deepEqual([await ask(gateway, token), await ask(late, token)], [200, 200]);
          asked += 2;
        }
      }
      const { exitCode, stderr } = await refused;
      assert.deepEqual([exitCode, /locked by another process; try again/.test(stderr)], [1, true], stderr);
    } finally {
      other.exec('COMMIT');
      other.close();
      await late.stop();
    }
  } finally {
    console.log(`${asked} requests while locked`);
  }
  const { exitCode, stderr } = await revoke();
  assert.equal(exitCode, 0, stderr);
  await eventually('the refusal', async () => (await ask(gateway, first)) === 401);
  for (const { id } of tokens.slice(1)) {
    const written = async (): Promise<boolean> => (await office.lastUsedAt(id)) > 0;
    await eventually('every use to be written', written, { withinMs: 15_000 });
  }
});
