import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import type { PepperId } from '../../src/core/ids.ts';
import { systemRandom } from '../../src/core/random.ts';
import { openSqlite } from '../../src/storage/sqlite/database.ts';
import { createSqliteTokenStore } from '../../src/storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../../src/storage/sqlite/user-store.ts';
import { eventually } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import { startMailServer } from '../support/mail-server.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch } from '../support/scratch.ts';
import { auditEvent, tokenRecord, userRecord } from '../support/store-records.ts';
import { gatewayPeppers } from '../support/token-office.ts';

describe('a gateway that warns', () => {
  test('tells owner and webhook at its start, once over a restart, and stops while both hang', async () => {
    const scratch = await makeScratch('expiry-warnings');
    const [mail, hook] = [await startMailServer(), await startRecordingBackend()];
    const path = scratch.file('latchkey.db');
    await seed(path);
    const options = (mailPort: number) => ({
      backend: 'http://127.0.0.1:9',
      config: {
        ...gatewayPeppers.config,
        store: `sqlite:${path}`,
        portal: { url: 'https://tokens.example.org' },
        warnings: {
          mail: { url: `smtp://127.0.0.1:${mailPort}`, from: 'latchkey@example.org' },
          webhook: { url: hook.url, secret: { fromEnv: 'HOOK_SECRET' } },
        },
      },
      env: { ...gatewayPeppers.env, HOOK_SECRET: 'a secret that signs webhooks, 32 bytes or more' },
    });
    const first = await startGateway(options(mail.port));
    await mail.received(1);
    await eventually('both to be noted', () => sentCount(path, 2), { withinMs: 20_000 });
    assert.deepEqual(mail.mails[0]?.to, ['alice@example.org']);
    assert.equal(hook.requests.length, 1);
    await first.stop();

    await seed(path);
    // Takes connections and says nothing.
    const silent = await startRecordingBackend();
    hook.answerWith({});
    const connected = hook.nextRequest(20_000);
    const second = await startGateway(options(silent.port));
    await connected;
    await eventually('the mail server to be asked', () => silent.connections.length === 1);
    await second.stop();
    assert.equal(mail.mails.length, 1);
    for (const each of [mail, hook, silent, { close: () => scratch.remove() }]) await each.close();
  });
});

/** A token that ends in half a day, of somebody with a mail address. */
async function seed(path: string): Promise<void> {
  const database = await openSqlite({ path, clock: systemClock, randomBytes: systemRandom });
  const [users, tokens] = [createSqliteUserStore(database), createSqliteTokenStore(database)];
  const user = (await users.findByName('alice')) ?? userRecord('alice', { email: 'alice@example.org' });
  await users.insert(user, auditEvent('user.add'));
  const end = { expiresAt: Date.now() + 43_200_000, createdAt: 0, pepperId: 'test' as PepperId };
  await tokens.insert(tokenRecord(user.id, end), auditEvent('token.create'));
  database.close();
}

async function sentCount(path: string, count: number): Promise<boolean> {
  const database = await openSqlite({ path, clock: systemClock, randomBytes: systemRandom });
  const row = database.prepare('SELECT count(*) AS n FROM expiry_warnings WHERE sent_at IS NOT NULL').get();
  database.close();
  return row?.['n'] === count;
}
