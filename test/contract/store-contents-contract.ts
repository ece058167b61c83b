import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import type { ContentsView, StoreContents } from '../../src/contents/store-contents.ts';
import { type Row, tables } from '../../src/contents/tables.ts';
import { Fault } from '../../src/core/errors.ts';
import type { TokenDigest, TokenId } from '../../src/core/ids.ts';
import {
  allRows,
  fillWith,
  sampleContents,
  sampleJournalPosition,
  sampleRealm,
} from '../support/sample-contents.ts';
import { auditEvent } from '../support/store-records.ts';
import type { Stores } from './store-subject.ts';

/** A place for a store, where there is none yet. */
export interface ContentsSubject {
  readonly contents: StoreContents;
  /** Opens the store as a gateway does, which makes it where there is none. */
  open(): Promise<Pick<Stores, 'tokens' | 'users'> & { close(): Promise<void> }>;
  remove(): Promise<void>;
}

const sample = sampleContents(2_345);
const cellOf = (table: string, row: Row | undefined, column: string): string =>
  String(
    row?.[tables.find(({ name }) => name === table)?.columns.findIndex(({ name }) => name === column) ?? -1],
  );
const isFault = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Fault, String(error));
  assert.equal(error.code, 'store_unavailable');
  assert.match(error.message, pattern);
  return true;
};

/** What every kind of store promises of its contents. */
export function storeContentsContract(kind: string, makePlace: () => Promise<ContentsSubject>): void {
  describe(`the contents of a store in ${kind}`, () => {
    let subject: ContentsSubject;
    let contents: StoreContents;

    async function anew(): Promise<void> {
      subject = await makePlace();
      contents = subject.contents;
    }

    describe('once filled', () => {
      before(async () => {
        await anew();
        await fillWith(contents, sample);
      });
      after(() => subject.remove());

      test('are every row that was put in, in the order of its key, and the realm', async () => {
        const view = await contents.view();
        assert.equal(view.realm, sampleRealm);
        assert.deepEqual(await allRows(view), sample);
      });

      test('are a store like any other: tokens are found by their digest, users by their name and by searching', async () => {
        const stores = await subject.open();
        const row = sample.get('tokens')?.[0];
        const digest = cellOf('tokens', row, 'digest') as TokenDigest;
        const found = await stores.tokens.findByDigests([digest]);
        assert.equal(found?.token.id, cellOf('tokens', row, 'id'));
        assert.deepEqual(found?.token.scopes, JSON.parse(cellOf('tokens', row, 'scopes')));
        assert.equal((await stores.users.findByName('user 1'))?.name, 'User 1');
        const searched = await stores.users.search({ text: 'ZOË “ünï', limit: 5 });
        assert.deepEqual(
          searched.items.slice(0, 1).map(({ displayName }) => displayName),
          ['Zoë “Ünïcode” 🔑 1'],
        );
        assert.equal(await stores.users.findByName('user 3'), null, 'that one was removed');
        await stores.close();
      });

      test('come in portions, between which other work gets its turn', async () => {
        const view = await contents.view();
        let turns = 0;
        let timer = setImmediate(function count() {
          turns += 1;
          timer = setImmediate(count);
        });
        const audit = tables.find(({ name }) => name === 'audit') ?? assert.fail();
        let portions = 0;
        for await (const rows of view.rows(audit)) portions += rows.length > 0 ? 1 : 0;
        clearImmediate(timer);
        await view.close();
        assert.ok(portions > 1 && turns >= portions - 1, `${portions} portions, ${turns} turns`);
      });

      test('show what they were when they were looked at, whatever is changed meanwhile', async () => {
        const [view, stores] = [await contents.view(), await subject.open()];
        const id = cellOf('tokens', sample.get('tokens')?.[0], 'id') as TokenId;
        await stores.tokens.change([id], () => ({
          patch: { name: 'changed' },
          event: auditEvent('token.edit'),
        }));
        assert.deepEqual(await allRows(view), sample);
        await stores.close();
      });

      test('have a journal that goes on above the numbers it ever had, and an audit trail that goes on', async () => {
        const stores = await subject.open();
        const id = cellOf('tokens', sample.get('tokens')?.[1], 'id') as TokenId;
        const newest = async (): Promise<number> =>
          Number(cellOf('journal', (await allRows(await contents.view())).get('journal')?.at(-1), 'seq'));
        const earlier = await newest();
        assert.ok(earlier >= sampleJournalPosition);
        await stores.tokens.change([id], () => ({
          patch: { name: 'again' },
          event: auditEvent('token.again'),
        }));
        assert.equal(await newest(), earlier + 1);
        const rows = await allRows(await contents.view());
        assert.equal(cellOf('audit', rows.get('audit')?.at(-1), 'action'), 'token.again');
        await stores.close();
      });

      test('are full, with what they hold and whose they are', async () => {
        assert.deepEqual(await contents.occupancy(), { kind: 'full', realm: sampleRealm, table: 'users' });
      });
    });

    describe('that are being filled', () => {
      const users = tables[0];
      const usersOf = sample.get('users') ?? [];
      assert.ok(users !== undefined);
      beforeEach(anew);
      afterEach(() => subject.remove());

      test('are nothing that opens, before the end', async () => {
        const filling = await contents.fill(sampleRealm, 'in-steps');
        await filling.append(users, usersOf.slice(0, 2));
        await filling.close();
        assert.deepEqual(await contents.occupancy(), { kind: 'unfinished', realm: sampleRealm });
        await assert.rejects(contents.view(), isFault(/not come to its end.*store copy/));
        await assert.rejects(subject.open(), isFault(/not come to its end.*store copy/));
      });

      test('in steps, keep every step', async () => {
        const first = await contents.fill(sampleRealm, 'in-steps');
        await first.append(users, usersOf.slice(0, 2));
        await first.append(users, usersOf.slice(2, 3));
        await first.close();
        const second = await contents.fill(sampleRealm, 'in-steps');
        assert.deepEqual(await usersIn(await second.held()), usersOf.slice(0, 3));
        await second.clear();
        assert.deepEqual(await usersIn(await second.held()), []);
        await second.finish();
        await second.close();
        const view = await contents.view();
        assert.equal(view.realm, sampleRealm);
        await view.close();
      });

      test('at once, keep nothing of what was not finished', async () => {
        const filling = await contents.fill(sampleRealm, 'at-once');
        await filling.append(users, usersOf);
        await filling.close();
        const occupancy = await contents.occupancy();
        assert.equal(occupancy.kind, 'empty');
        assert.notEqual(occupancy.realm, sampleRealm);
        await (await subject.open()).close();
      });

      test('belong to the last who began: another fails, and changes nothing', async () => {
        const first = await contents.fill(sampleRealm, 'in-steps');
        await first.append(users, usersOf.slice(0, 1));
        const second = await contents.fill(sampleRealm, 'in-steps');
        await assert.rejects(
          first.append(users, usersOf.slice(1, 2)),
          isFault(/is being filled by another command/),
        );
        await assert.rejects(first.clear(), isFault(/another command/));
        await assert.rejects(first.finish(), isFault(/another command/));
        assert.deepEqual(await usersIn(await second.held()), usersOf.slice(0, 1));
        await first.close();
        await second.close();
      });

      test('take no row twice, and none whose owner is not there', async () => {
        const tokens = tables.find(({ name }) => name === 'tokens') ?? assert.fail();
        const filling = await contents.fill(sampleRealm, 'in-steps');
        await filling.append(users, usersOf.slice(0, 2));
        await assert.rejects(
          filling.append(users, usersOf.slice(1, 3)),
          isFault(/does not take a row of users/),
        );
        const stray = (sample.get('tokens') ?? []).filter(
          (row) => cellOf('tokens', row, 'user_id') === usersOf[3]?.[0],
        );
        await assert.rejects(filling.append(tokens, stray), isFault(/does not take a row of tokens/));
        assert.deepEqual(await usersIn(await filling.held()), usersOf.slice(0, 2));
        await filling.close();
      });

      async function usersIn(view: ContentsView): Promise<readonly Row[]> {
        return (await allRows(view)).get('users') ?? [];
      }
    });

    test('are empty where there is no store, which is not made by looking', async () => {
      await anew();
      assert.deepEqual(await contents.occupancy(), { kind: 'empty', realm: null });
      await assert.rejects(contents.view(), isFault(/no store/));
      assert.deepEqual(await contents.occupancy(), { kind: 'empty', realm: null });
      await subject.remove();
    });

    test('are empty where a store was just made', async () => {
      await anew();
      await (await subject.open()).close();
      const occupancy = await contents.occupancy();
      assert.equal(occupancy.kind, 'empty');
      assert.notEqual(occupancy.realm, null);
      await subject.remove();
    });
  });
}
