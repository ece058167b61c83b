import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Fault } from '../../../src/core/errors.ts';
import type { TokenId, UserId } from '../../../src/core/ids.ts';
import { answerVerify, type VerifyDeps } from '../../../src/doors/verify.ts';
import type { RequestRecord } from '../../../src/gateway/record.ts';
import type { AdminKeyRecord } from '../../../src/identity/admin-key-store.ts';
import type { Verification } from '../../../src/tokens/verification.ts';

const verified: Verification = {
  kind: 'verified',
  tier: 'store',
  principal: {
    userId: 'u' as UserId,
    userName: 'alice',
    tokenId: 't' as TokenId,
    scopes: [{ kind: 'everything' }],
  },
};

/** What is answered where one of the things it asks behaves like that. */
async function answer(
  change: Partial<VerifyDeps>,
): Promise<{ readonly status: number; readonly body: string; readonly records: readonly RequestRecord[] }> {
  const records: RequestRecord[] = [];
  const key = { name: 'sshd', scopes: ['verify'] } as unknown as AdminKeyRecord;
  const { status, body } = await answerVerify(
    {
      method: 'POST',
      rest: '',
      rawHeaders: ['Authorization', 'Bearer lka_x', 'Content-Type', 'application/x-www-form-urlencoded'],
      peerAddress: '127.0.0.1',
      readBody: () => Promise.resolve('token=secret'),
    },
    {
      adminKeys: { recognise: () => Promise.resolve(key) },
      verifier: { verify: () => verified },
      guesses: { refused: () => 0 },
      tokens: { get: () => Promise.resolve(null) },
      recorder: {
        begin: () => undefined,
        record: (record) => void records.push(record),
        fault: () => undefined,
      },
      acceptsMainPassword: () => null,
      nextRequestId: () => 'r',
      ...change,
    },
  );
  return { status, body, records };
}

describe('a question to /verify', () => {
  test('about a token that ended since it was looked at is told no', async () => {
    const { status, body, records } = await answer({});
    assert.deepEqual([status, body], [200, '{"active":false}\n']);
    assert.equal(records[0]?.reason, 'revoked');
  });

  const away = (): Promise<never> => Promise.reject(new Fault('store_unavailable', 'locked'));
  const parts: readonly (readonly [string, Partial<VerifyDeps>])[] = [
    ['the keys', { adminKeys: { recognise: away } }],
    ['the token', { verifier: { verify: away } }],
    ['what is known of the token', { tokens: { get: away } }],
  ];
  for (const [title, change] of parts) {
    test(`is answered 503 where the store cannot be asked for ${title}`, async () => {
      const { status, body, records } = await answer(change);
      assert.equal(status, 503);
      assert.doesNotMatch(body, /active|locked/);
      assert.equal(records.length, 1);
      assert.equal(records[0]?.outcome, 'store_unavailable');
    });
  }

  test('is answered 500 where something unexpected fails', async () => {
    const { status, body } = await answer({
      verifier: {
        verify: () => {
          throw new TypeError('of nothing');
        },
      },
    });
    assert.equal(status, 500);
    assert.doesNotMatch(body, /active|nothing/);
  });
});
