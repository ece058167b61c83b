import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Change } from '../../../../src/core/change.ts';
import type { Realm, TokenId, UserId } from '../../../../src/core/ids.ts';
import { createPeppers } from '../../../../src/tokens/digest.ts';
import { changesMax, messageCodec, messageKeys } from '../../../../src/storage/redis/change-message.ts';
import type { Message } from '../../../../src/storage/redis/change-message.ts';

const key = new Uint8Array(32).fill(1);
const realm = '0195f6a0-0000-7000-8000-000000000001' as Realm;
const codec = messageCodec(realm, [key]);
const tokenId = '0195f6a0-0000-7000-8000-00000000000a' as TokenId;
const userId = '0195f6a0-0000-7000-8000-00000000000b' as UserId;

/** A message with a valid MAC around any body, as a newer release might send. */
function signed(body: string): string {
  const mac = createHmac('sha256', key)
    .update(`${codec.channel.length}:${codec.channel}${body}`)
    .digest('base64url');
  return `${mac}.${body}`;
}

describe('messages between gateways', () => {
  const changes: readonly Change[] = [
    { kind: 'token', tokenId, version: 3 },
    { kind: 'user', userId, version: 0 },
  ];

  test('changes and beats survive the journey', () => {
    for (const message of [
      { kind: 'changes', changes },
      { kind: 'changes', changes: [] },
      { kind: 'beat', sender: 'a-process', sequence: 7 },
    ] satisfies Message[]) {
      assert.deepEqual(codec.decode(codec.encode(message)), message);
    }
  });

  test('the fullest message can be read', () => {
    const full = Array.from(
      { length: changesMax },
      (): Change => ({
        kind: 'token',
        tokenId,
        version: Number.MAX_SAFE_INTEGER,
      }),
    );
    assert.deepEqual(codec.decode(codec.encode({ kind: 'changes', changes: full })), {
      kind: 'changes',
      changes: full,
    });
  });

  test('no text that was changed in one place is believed', () => {
    const text = codec.encode({ kind: 'changes', changes });
    for (let at = 0; at < text.length; at += 1) {
      const other = text[at] === 'A' ? 'B' : 'A';
      const decoded = codec.decode(text.slice(0, at) + other + text.slice(at + 1));
      // The last character of a MAC carries four bits only: another one may spell the same bytes.
      if (at !== 42) assert.deepEqual(decoded, { kind: 'foreign' }, `position ${at}`);
    }
  });

  test('a message of another store, or under another key, is foreign', () => {
    const message: Message = { kind: 'changes', changes };
    const otherRealm = messageCodec('0195f6a0-0000-7000-8000-000000000002' as Realm, [key]);
    const otherKey = messageCodec(realm, [new Uint8Array(32)]);
    assert.deepEqual(codec.decode(otherRealm.encode(message)), { kind: 'foreign' });
    assert.deepEqual(codec.decode(otherKey.encode(message)), { kind: 'foreign' });
  });

  test('peppers in another order understand one another, another store does not', () => {
    const older = { id: 'old', secret: 'the older pepper, thirty-two bytes' };
    const newer = { id: 'new', secret: 'the newer pepper, thirty-two bytes' };
    const message: Message = { kind: 'changes', changes };
    const [ahead, behind] = [createPeppers([newer, older]), createPeppers([older, newer])];
    const sent = messageCodec(realm, messageKeys(ahead, realm)).encode(message);
    assert.deepEqual(messageCodec(realm, messageKeys(behind, realm)).decode(sent), message);
    const elsewhere = messageKeys(behind, '0195f6a0-0000-7000-8000-000000000002' as Realm);
    assert.deepEqual(messageCodec(realm, elsewhere).decode(sent), { kind: 'foreign' });
  });

  test('nothing makes decoding throw', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200, unit: 'binary' }), (text) => {
        assert.equal(codec.decode(text).kind, 'foreign');
      }),
    );
  });

  test('an authentic message that cannot be understood wholly is unreadable, never half read', () => {
    for (const body of [
      '',
      'null',
      '[]',
      '{}',
      '{"v":2,"changes":[]}',
      '{"v":1}',
      '{"v":1,"changes":{}}',
      '{"v":1,"changes":[["t"]]}',
      `{"v":1,"changes":[["t","${tokenId}",1],["x","${tokenId}",1]]}`,
      `{"v":1,"changes":[["t","${tokenId}",-1]]}`,
      `{"v":1,"changes":[["t","${tokenId}",1.5]]}`,
      `{"v":1,"changes":[["t","${tokenId}",1e300]]}`,
      `{"v":1,"changes":[["t","${tokenId}","1"]]}`,
      `{"v":1,"changes":[["t","two words",1]]}`,
      `{"v":1,"changes":[["t","${'x'.repeat(65)}",1]]}`,
      '{"v":1,"beat":["me"]}',
      '{"v":1,"beat":["me",null]}',
      '{"v":1,"beat":[["me"],1]}',
    ]) {
      assert.deepEqual(codec.decode(signed(body)), { kind: 'unreadable' }, body);
    }
  });

  test('an authentic message of any JSON is read or unreadable, never an exception', () => {
    fc.assert(
      fc.property(fc.json(), (body) => {
        assert.notEqual(codec.decode(signed(body)).kind, 'foreign');
      }),
    );
  });
});
