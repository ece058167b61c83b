import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../../../src/core/clock.ts';
import type { TokenId, UserId } from '../../../../src/core/ids.ts';
import { systemRandom } from '../../../../src/core/random.ts';
import { openSqlite, type SqliteDatabase } from '../../../../src/storage/sqlite/database.ts';
import { insertTokenSql, toParameters } from '../../../../src/storage/token-rows.ts';
import { createSqliteTokenStore } from '../../../../src/storage/sqlite/token-store.ts';
import { createSqliteUserStore } from '../../../../src/storage/sqlite/user-store.ts';
import type { TokenOrder, TokenQuery, TokenRecord } from '../../../../src/tokens/token-store.ts';
import { makeScratch, type Scratch } from '../../../support/scratch.ts';
import { auditEvent, epoch, tokenRecord, userRecord } from '../../../support/store-records.ts';

const count = 4_400;
const now = epoch + 500;

const narrowings: readonly Pick<TokenQuery, 'text' | 'state'>[] = [
  {},
  {},
  { text: 'lap' },
  { text: 'rare' },
  { text: 'e ' },
  { text: 'Rare 3007' },
  { state: 'revoked' },
  { state: 'off' },
  { state: 'active' },
  { state: 'expired', text: 'phone 1' },
];

/** The search as one would write it with all tokens in an array. */
function model(tokens: readonly TokenRecord[], query: TokenQuery): readonly TokenId[] {
  const { order, descending, text, userId, state } = query;
  const keyOf = (token: TokenRecord): string | number | null =>
    ({ created: token.id, name: token.name.toLowerCase(), used: token.lastUsedAt, expires: token.expiresAt })[
      order
    ];
  const isEnded = ({ expiresAt }: TokenRecord): boolean => expiresAt !== null && expiresAt <= now;
  const inState = (token: TokenRecord): boolean =>
    state === 'revoked'
      ? token.revokedAt !== null
      : token.revokedAt === null &&
        (state === undefined ||
          (state === 'off' ? !token.enabled : token.enabled && isEnded(token) === (state === 'expired')));
  const sign = descending ? -1 : 1;
  return tokens
    .filter((token) => userId === undefined || token.userId === userId)
    .filter(inState)
    .filter(({ name }) => text === undefined || name.toLowerCase().includes(text.toLowerCase()))
    .toSorted((one, other) => {
      const [a, b] = [keyOf(one), keyOf(other)];
      if (a === null || b === null) {
        if (a !== b) return a === null ? 1 : -1;
      } else if (a !== b) return a < b ? -sign : sign;
      return one.id < other.id ? -sign : sign;
    })
    .map(({ id }) => id);
}

describe('a search among more tokens than are looked at in one go', () => {
  let scratch: Scratch;
  let database: SqliteDatabase;
  let tokens: readonly TokenRecord[];
  let many: UserId;
  before(async () => {
    scratch = await makeScratch('token-search');
    const path = scratch.file('latchkey.db');
    database = await openSqlite({ path, clock: systemClock, randomBytes: systemRandom });
    const users = createSqliteUserStore(database);
    const [one, other] = [userRecord('many'), userRecord('few')];
    for (const user of [one, other]) await users.insert(user, auditEvent('e'));
    many = one.id;
    tokens = Array.from({ length: count }, (_, at) =>
      // Keys repeat, so that ties cross the bounds of portions.
      tokenRecord(at % 10 === 0 ? other.id : many, {
        name: at % 1_000 === 7 ? `Rare ${at}` : `${at % 2 === 0 ? 'phone' : 'Laptop'} ${at % 3}`,
        lastUsedAt: at % 4 === 0 ? null : epoch + (at % 7),
        expiresAt: at % 5 === 0 ? null : epoch + (at % 11) * 100,
        enabled: at % 13 !== 0,
        revokedAt: at % 17 === 0 ? epoch : null,
      }),
    );
    const insert = database.prepare(insertTokenSql);
    await database.write(() => {
      for (const token of tokens) insert.run(toParameters(token));
    });
  });
  after(async () => {
    database.close();
    await scratch.remove();
  });

  async function allPages(query: TokenQuery): Promise<readonly TokenId[]> {
    const store = createSqliteTokenStore(database);
    const found: TokenId[] = [];
    for (let next: string | null = null; ; ) {
      const page = await store.search({ ...query, ...(next !== null && { after: next }) }, now);
      found.push(...page.items.map(({ token }) => token.id));
      next = page.next;
      if (next !== null) continue;
      if (query.userId !== undefined) assert.equal(page.total, found.length);
      return found;
    }
  }

  for (const order of ['created', 'name', 'used', 'expires'] satisfies TokenOrder[]) {
    test(`by ${order} finds the same, in the same order, as looking at all of them`, async () => {
      for (const [at, narrowed] of narrowings.entries()) {
        for (const scope of [{}, { userId: many }]) {
          const query = { order, descending: at % 2 === 0, limit: 1_700, ...narrowed, ...scope };
          assert.deepEqual(await allPages(query), model(tokens, query), JSON.stringify(query));
        }
      }
    });
  }

  test('finds a token by what it was renamed to, and no longer by its former name', async () => {
    const store = createSqliteTokenStore(database);
    const renamed = tokens.find(({ name }) => name === 'Rare 2007');
    assert.ok(renamed);
    const named = async (text: string): Promise<number> =>
      (await store.search({ order: 'created', descending: true, limit: 9, text }, now)).items.length;
    assert.deepEqual([await named('Rare 2007'), await named('unheard-of')], [1, 0]);
    await store.change([renamed.id], () => ({ patch: { name: 'Unheard-of' }, event: auditEvent('e') }));
    assert.deepEqual([await named('Rare 2007'), await named('unheard-of')], [0, 1]);
    const use = { tokenId: renamed.id, at: epoch + 9, address: '192.0.2.1', client: 'Strange "client" 7' };
    await store.recordUses([use], epoch + 9);
    assert.deepEqual([await named('unheard-of'), await named('"CLIENT" 7')], [1, 1]);
    await store.change([renamed.id], () => ({ patch: { name: 'Rare 2007' }, event: auditEvent('e') }));
    assert.deepEqual([await named('Rare 2007'), await named('unheard-of')], [1, 0]);
  });
});
