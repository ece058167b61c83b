import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { UserId } from '../../src/core/ids.ts';
import { createWebhookChannel } from '../../src/delivery/webhook.ts';
import type { DueWarning } from '../../src/tokens/warning-store.ts';
import { field } from '../support/http-message.ts';
import { freePort } from '../support/free-port.ts';
import { type RecordingBackend, replying, startRecordingBackend } from '../support/recording-backend.ts';
import { steppedClock } from '../support/stepped-clock.ts';
import { epoch, tokenRecord } from '../support/store-records.ts';

const secret = 'a secret that signs webhooks, 32 bytes or more';

describe('expiry warnings by webhook', () => {
  let receiver: RecordingBackend;
  const clock = steppedClock();
  beforeEach(async () => {
    receiver = await startRecordingBackend();
  });
  afterEach(() => receiver.close());

  const userId = 'a user' as UserId;
  const token = tokenRecord(userId, { expiresAt: epoch + 1_000, name: 'phone "1"\n' });
  const warning: DueWarning = {
    owned: { token, owner: { id: userId, name: 'alice', disabled: false, version: 1 } },
    owner: { displayName: 'Alice', email: 'alice@example.org', language: null },
    days: 7,
    channel: 'webhook',
  };
  const channel = (url = `${receiver.url}/hooks/latchkey?a=b`, deliveryMs?: number) =>
    createWebhookChannel(
      { url, secret, ca: null },
      { clock, ...(deliveryMs !== undefined && { deliveryMs }) },
    );

  test('are one signed POST of JSON, which holds no secret', async () => {
    receiver.answerWith(replying(204));
    assert.equal(await channel().deliver(warning), 'delivered');
    const [request] = receiver.requests;
    assert.ok(request);
    assert.deepEqual([request.method, request.target], ['POST', '/hooks/latchkey?a=b']);
    assert.equal(field(request, 'content-type'), 'application/json');
    const body = request.body.toString();
    const [, seconds, signature] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(field(request, 'latchkey-signature') ?? '') ?? [];
    assert.equal(Number(seconds), clock.now() / 1000);
    assert.equal(signature, createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex'));
    const told = JSON.parse(body) as Record<string, unknown>;
    assert.match(String(told['id']), /^[\w-]{32}$/);
    assert.deepEqual(
      { ...told, id: '' },
      {
        type: 'token.expires',
        id: '',
        days: 7,
        token: {
          id: token.id,
          name: 'phone "1"\n',
          prefix: 'lk_abcd',
          scopes: token.scopes,
          createdAt: '2026-01-01T00:00:00.000Z',
          expiresAt: '2026-01-01T00:00:01.000Z',
          lastUsedAt: null,
          lastUsedClient: null,
        },
        user: { id: userId, name: 'alice', displayName: 'Alice', email: 'alice@example.org', language: null },
      },
    );
  });

  test('bear the same id each time, and another for another end', async () => {
    const later = { ...warning, owned: { ...warning.owned, token: { ...token, expiresAt: epoch + 2_000 } } };
    for (const each of [warning, warning, later]) await channel().deliver(each);
    const ids = receiver.requests.map(
      ({ body }) => (JSON.parse(body.toString()) as { readonly id: string }).id,
    );
    assert.equal(ids[0], ids[1]);
    assert.notEqual(ids[0], ids[2]);
  });

  test('count as received with 2xx alone: redirects are not followed', async () => {
    const other = await startRecordingBackend();
    for (const [status, extra] of [
      [301, [`Location: ${other.url}/`]],
      [307, [`Location: ${other.url}/`]],
      [400, []],
      [500, []],
    ] as const) {
      receiver.answerWith(replying(status, '', extra));
      await assert.rejects(channel().deliver(warning), new RegExp(`answered ${status}`));
    }
    assert.equal(other.requests.length, 0);
    await other.close();
  });

  test('give up on a receiver that is slow or away, or never ends its answer', async () => {
    receiver.answerWith({});
    await assert.rejects(channel(undefined, 100).deliver(warning), /did not answer within 100 ms/);
    await assert.rejects(channel(`http://127.0.0.1:${await freePort()}/`).deliver(warning), /ECONNREFUSED/);
    receiver.answerWith({
      message(_request, socket) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx');
      },
    });
    assert.equal(await channel().deliver(warning), 'delivered');
  });
});
