import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { SMTPServerOptions } from 'smtp-server';
import type { MailConfig } from '../../src/config/warnings-config.ts';
import { systemRandom } from '../../src/core/random.ts';
import { createMailChannel } from '../../src/delivery/mail.ts';
import type { UserRecord } from '../../src/identity/user-store.ts';
import { openSqlite, type SqliteDatabase } from '../../src/storage/sqlite/database.ts';
import { createSqliteTokenStore } from '../../src/storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../../src/storage/sqlite/user-store.ts';
import { createSqliteWarningStore } from '../../src/storage/sqlite/warning-store.ts';
import { createExpiryWarnings, type WarningChannel } from '../../src/tokens/expiry-warnings.ts';
import type { TokenRecord } from '../../src/tokens/token-store.ts';
import { makeCertificates } from '../support/certificates.ts';
import { freePort } from '../support/free-port.ts';
import { type MailServer, startMailServer } from '../support/mail-server.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../support/stepped-clock.ts';
import { auditEvent, epoch, tokenRecord, userRecord } from '../support/store-records.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const from = { name: 'Latchkey', address: 'latchkey@example.org' };

describe('expiry warnings by mail', () => {
  let scratch: Scratch;
  let clock: SteppedClock;
  let databases: SqliteDatabase[];
  let server: MailServer | null = null;
  let tls: { readonly ca: string; readonly options: SMTPServerOptions };
  let tlsScratch: Scratch;
  before(async () => {
    tlsScratch = await makeScratch('mail-certificates');
    const ca = await makeCertificates(tlsScratch);
    const [key, cert] = await Promise.all(
      ['server.key', 'server.pem'].map((name) => readFile(tlsScratch.file(name), 'utf8')),
    );
    assert.ok(key !== undefined && cert !== undefined);
    tls = { ca, options: { key, cert } };
  });
  after(() => tlsScratch.remove());
  beforeEach(async () => {
    scratch = await makeScratch('expiry-mails');
    clock = steppedClock();
    clock.advance(epoch + 100 * dayMs - clock.now());
    databases = [];
  });
  afterEach(async () => {
    await server?.close();
    server = null;
    for (const database of databases) database.close();
    await scratch.remove();
  });

  async function open(): Promise<SqliteDatabase> {
    const path = scratch.file('latchkey.db');
    const database = await openSqlite({ path, clock, randomBytes: systemRandom });
    databases.push(database);
    return database;
  }

  function config(port: number, more: Partial<MailConfig> = {}): MailConfig {
    const url = `smtp://127.0.0.1:${port}`;
    return { url, allowPlaintext: true, ca: null, username: null, password: null, from, ...more };
  }

  /** One process: what it logs, and how many it sends when it looks. */
  async function sender(channel: WarningChannel) {
    const database = await open();
    const logged: unknown[] = [];
    const warnings = createExpiryWarnings({
      store: createSqliteWarningStore(database),
      channel,
      days: [7, 1],
      clock,
      log: { warn: (fields: unknown) => void logged.push(fields) },
    });
    return { send: () => warnings.send(new AbortController().signal), logged };
  }

  async function ending(
    owner: Partial<UserRecord> = {},
    fields: Partial<TokenRecord> = {},
  ): Promise<TokenRecord> {
    const database = await open();
    const [users, tokens] = [createSqliteUserStore(database), createSqliteTokenStore(database)];
    const name = `user-${databases.length}`;
    const user = userRecord(name, { email: `${name}@example.org`, ...owner });
    await users.insert(user, auditEvent('e'));
    const token = tokenRecord(user.id, { expiresAt: clock.now() + dayMs, ...fields });
    await tokens.insert(token, auditEvent('e'));
    return token;
  }

  test('reach the owner once at each distance, with the headers of a mail that nobody answers', async () => {
    server = await startMailServer();
    const token = await ending(
      { email: 'ä.b+c@example.org', displayName: 'Änne', language: 'de' },
      {
        expiresAt: clock.now() + 7 * dayMs,
      },
    );
    const { send, logged } = await sender(createMailChannel(config(server.port), 'https://t.example.org'));
    assert.equal(await send(), 1);
    assert.equal(await send(), 0);
    const [mail] = server.mails;
    assert.ok(mail);
    assert.deepEqual([mail.from, mail.to], ['latchkey@example.org', ['ä.b+c@example.org']]);
    assert.equal(mail.header('from'), 'Latchkey <latchkey@example.org>');
    assert.equal(mail.header('to'), 'Änne <ä.b+c@example.org>');
    assert.equal(mail.header('subject'), 'Ihr App-Token „phone“ läuft innerhalb von 7 Tagen ab');
    assert.equal(mail.header('auto-submitted'), 'auto-generated');
    assert.match(mail.header('message-id') ?? '', /^<[\w-]{32}@example\.org>$/);
    assert.match(mail.header('content-type') ?? '', /^text\/plain; charset=utf-8/i);
    assert.ok(mail.text.includes(`https://t.example.org/.latchkey/tokens/${token.id}\n`), mail.text);
    assert.ok(!mail.raw.includes(token.digest));
    clock.advance(6 * dayMs);
    assert.equal(await send(), 1);
    assert.equal(server.mails.length, 2);
    assert.notEqual(server.mails[1]?.header('message-id'), mail.header('message-id'));
    assert.deepEqual(logged, []);
  });

  test('are sent once each by several processes that look at once', async () => {
    server = await startMailServer();
    const channel = createMailChannel(config(server.port), null);
    for (let at = 0; at < 30; at++) await ending();
    const processes = await Promise.all([sender(channel), sender(channel), sender(channel)]);
    const sent = await Promise.all(processes.map(({ send }) => send()));
    assert.equal(sent[0]! + sent[1]! + sent[2]!, 30);
    assert.equal(server.mails.length, 30);
    assert.equal(new Set(server.mails.map(({ to }) => to[0])).size, 30);
  });

  test('wait for a mail server that is away', async () => {
    await ending();
    const port = await freePort();
    const { send, logged } = await sender(createMailChannel(config(port), null));
    assert.equal(await send(), 0);
    assert.match(JSON.stringify(logged), /ECONNREFUSED/);
    server = await startMailServer({}, port);
    assert.equal(await send(), 0);
    clock.advance(10 * minuteMs);
    assert.equal(await send(), 1);
  });

  test('do not try every one of many where nothing gets through', async () => {
    for (let at = 0; at < 30; at++) await ending();
    const { send, logged } = await sender(createMailChannel(config(await freePort()), null));
    assert.equal(await send(), 0);
    assert.ok(logged.length >= 1 && logged.length <= 8, String(logged.length));
  });

  test('are sent again under the same Message-ID where a process died before it could note them', async () => {
    server = await startMailServer();
    await ending();
    const mail = createMailChannel(config(server.port), null);
    const dying: WarningChannel = {
      name: 'mail',
      async deliver(warning) {
        await mail.deliver(warning);
        throw new Error('killed');
      },
    };
    assert.equal(await (await sender(dying)).send(), 0);
    const next = await sender(mail);
    assert.equal(await next.send(), 0);
    clock.advance(10 * minuteMs);
    assert.equal(await next.send(), 1);
    assert.equal(server.mails.length, 2);
    assert.equal(server.mails[0]?.header('message-id'), server.mails[1]?.header('message-id'));
  });

  test('never carry what a name would add to the head, nor go to more than one address', async () => {
    server = await startMailServer();
    const hostile = 'x\r\nBcc: victim@example.org\r\n\r\nbody';
    await ending({ displayName: hostile }, { name: hostile, lastUsedAt: epoch, lastUsedClient: hostile });
    const bad = [
      'a@example.org, b@example.org',
      'a@example.org\r\nRCPT TO:<b@example.org>',
      '<a@example.org>',
      'Group: a@example.org;',
      'a@example.org b',
      '"a"@example.org',
      'nobody',
      '',
    ];
    for (const email of bad) await ending({ email });
    await ending({ email: null });
    const { send, logged } = await sender(createMailChannel(config(server.port), null));
    assert.equal(await send(), 1);
    assert.deepEqual(logged, []);
    const [mail] = server.mails;
    assert.ok(mail);
    const names = mail.headerNames.map((name) => name.toLowerCase());
    assert.ok(!names.includes('bcc'));
    assert.equal(mail.to.length, 1);
    assert.match(mail.header('subject') ?? '', /“x\\u000d\\u000aBcc: victim/);
    // In a quoted string a backslash is written twice.
    assert.match(mail.header('to') ?? '', /^"x\\\\u000d\\\\u000aBcc: victim/);
    clock.advance(10 * minuteMs);
    assert.equal(await send(), 0);
  });

  test('are not tried again for an address that the server refuses for good', async () => {
    let asked = 0;
    server = await startMailServer({
      onRcptTo(_address, _session, done) {
        asked++;
        done(Object.assign(new Error('no such user'), { responseCode: 550 }));
      },
    });
    await ending();
    const { send } = await sender(createMailChannel(config(server.port), null));
    assert.equal(await send(), 0);
    clock.advance(10 * minuteMs);
    assert.equal(await send(), 0);
    assert.equal(asked, 1);
  });

  test('go over TLS where that is asked for, and nowhere else', async () => {
    server = await startMailServer({ ...tls.options });
    await ending();
    const strict = { allowPlaintext: false, ca: tls.ca };
    assert.equal(await (await sender(createMailChannel(config(server.port, strict), null))).send(), 1);
    assert.equal(server.mails[0]?.overTls, true);
    await server.close();

    server = await startMailServer();
    await ending();
    const clear = await sender(createMailChannel(config(server.port, strict), null));
    assert.equal(await clear.send(), 0);
    assert.match(JSON.stringify(clear.logged), /STARTTLS|TLS/);
    assert.equal(server.mails.length, 0);
    await server.close();

    server = await startMailServer({ ...tls.options, secure: true });
    await ending();
    const smtps = { url: `smtps://127.0.0.1:${server.port}`, allowPlaintext: false };
    const unknown = await sender(createMailChannel(config(server.port, smtps), null));
    assert.equal(await unknown.send(), 0);
    assert.match(JSON.stringify(unknown.logged), /certificate/i);
    await ending();
    const trusted = createMailChannel(config(server.port, { ...smtps, ca: tls.ca }), null);
    assert.equal(await (await sender(trusted)).send(), 1);
  });

  test('sign in where an account is given, and say nothing of its password', async () => {
    server = await startMailServer({
      ...tls.options,
      authOptional: false,
      onAuth(auth, _session, done) {
        if (auth.username === 'latchkey' && auth.password === 'mail password')
          done(null, { user: 'latchkey' });
        else done(new Error('wrong'));
      },
    });
    await ending();
    const account = { username: 'latchkey', password: 'another password', ca: tls.ca };
    const wrong = await sender(createMailChannel(config(server.port, account), null));
    assert.equal(await wrong.send(), 0);
    assert.doesNotMatch(JSON.stringify(wrong.logged), /another password/);
    clock.advance(10 * minuteMs);
    const right = createMailChannel(config(server.port, { ...account, password: 'mail password' }), null);
    assert.equal(await (await sender(right)).send(), 1);
    assert.equal(server.mails[0]?.account, 'latchkey');
  });
});
