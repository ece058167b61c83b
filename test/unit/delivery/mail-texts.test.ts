import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UserId } from '../../../src/core/ids.ts';
import { warningMail } from '../../../src/delivery/mail-texts.ts';
import type { TokenRecord } from '../../../src/tokens/token-store.ts';
import type { DueWarning } from '../../../src/tokens/warning-store.ts';
import { tokenRecord } from '../../support/store-records.ts';

const userId = 'u' as UserId;
const end = Date.UTC(2026, 2, 9, 14, 30);

function warning(fields: Partial<TokenRecord> = {}, owner: Partial<DueWarning['owner']> = {}): DueWarning {
  const token = tokenRecord(userId, { expiresAt: end, ...fields });
  return {
    owned: { token, owner: { id: userId, name: 'alice', disabled: false, version: 1 } },
    owner: { displayName: 'Alice A.', email: 'alice@example.org', language: 'en', ...owner },
    days: 7,
    channel: 'mail',
  };
}

describe('the mail that warns of an end', () => {
  test('says which token, when, and where to go on', () => {
    const { subject, text } = warningMail(warning(), 'https://tokens.example.org');
    assert.equal(subject, 'Your app token “phone” ends within 7 days');
    assert.match(text, /^Hello Alice A\.,\n/);
    assert.match(text, /“phone” \(lk_abcd…\) ends within 7 days: on 9 March 2026 at 14:30 UTC\./);
    assert.match(text, /It has never been used\./);
    assert.match(text, /^https:\/\/tokens\.example\.org\/\.latchkey\/tokens\/[0-9a-f-]{36}$/m);
  });

  test('is in the language of the owner', () => {
    const { subject, text } = warningMail(warning({}, { language: 'de' }), null);
    assert.equal(subject, 'Ihr App-Token „phone“ läuft innerhalb von 7 Tagen ab');
    assert.match(text, /am 9\. März 2026 um 14:30 UTC\./);
    assert.match(warningMail(warning({}, { language: null }), null).text, /^Hello/);
  });

  test('says of a day that it is one', () => {
    const last = { ...warning(), days: 1 };
    assert.match(warningMail(last, null).subject, /ends within a day$/);
    const german = { ...warning({}, { language: 'de' }), days: 1 };
    assert.match(warningMail(german, null).subject, /läuft innerhalb eines Tages ab$/);
  });

  test('says when and by what it was last used, and whether a use helps', () => {
    const used = { lastUsedAt: end - 1, lastUsedClient: 'DAVx5/4.4' };
    const { text } = warningMail(warning({ ...used, slidingMs: 1, until: end + 1 }), null);
    assert.match(text, /last used on 9 March 2026 at 14:29 UTC by DAVx5\/4\.4\./);
    assert.match(text, /If it is used before, it goes on by itself\./);
    const last = warningMail(warning({ slidingMs: 1, until: end }), null);
    assert.doesNotMatch(last.text, /by itself/);
  });

  test('shows names that would steer as what they are, on their line', () => {
    const hostile = 'x\r\nBcc: victim@example.org\u202e\u001b[2J';
    for (const language of ['en', 'de'] as const) {
      const named = warning({ name: hostile, lastUsedAt: end, lastUsedClient: hostile }, { language });
      const { subject, text } = warningMail(
        { ...named, owner: { ...named.owner, displayName: hostile } },
        null,
      );
      assert.doesNotMatch(subject, /[\p{Cc}\p{Cf}]/u);
      assert.doesNotMatch(text.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u);
      assert.doesNotMatch(text, /^Bcc:/m);
      assert.match(text, /x\\u000d\\u000aBcc: victim@example\.org\\u202e\\u001b\[2J/);
    }
  });

  test('holds neither digest nor anything else that could be used', () => {
    const named = warning();
    const { subject, text } = warningMail(named, 'https://tokens.example.org');
    for (const secret of [named.owned.token.digest, named.owned.token.pepperId]) {
      assert.ok(!`${subject}${text}`.includes(secret));
    }
  });
});
