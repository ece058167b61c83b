/** Rows for every table of a store, with everything in them that a cell can hold. */
import { createHash } from 'node:crypto';
import type { ContentsView, FillMode, StoreContents } from '../../src/contents/store-contents.ts';
import { type Cell, type Row, type Table, tables } from '../../src/contents/tables.ts';
import type { Realm } from '../../src/core/ids.ts';

/** Every row of every table, by the name of the table, in the order of its key. */
export type Sample = ReadonlyMap<string, readonly Row[]>;

/** The realm of `fillWith`. */
export const sampleRealm: Realm = '0190aaaa-0000-7000-8000-00000000abcd' as string as Realm;
/** The highest journal number of a sample: those before its rows have been pruned. */
export const sampleJournalPosition = 1_000_000;

type Fields = Readonly<Record<string, Cell>>;

const at = 1_700_000_000_000;
/** In no order of their own, and with letters that languages sort differently. */
const key = (kind: string, index: number): string =>
  createHash('sha256').update(`${kind} ${index}`).digest('base64url');
const text = (index: number): string =>
  ['plain', 'Zoë “Ünïcode” 🔑', 'it\'s \\ "quoted"', 'two\nlines\tand a tab', 'null', ''][index % 6] ?? '';

/** This many tokens and, in proportion, everything else. The same at every call. */
export function sampleContents(tokens: number): Sample {
  const users = Math.max(4, Math.ceil(tokens / 5));
  const several = Math.max(3, Math.ceil(tokens / 10));
  const rows: Readonly<Record<string, readonly Fields[]>> = {
    users: times(users, user),
    peppers: [{ id: 'first' }, { id: 'Second' }],
    tokens: times(tokens, (index) => token(index, users)),
    sessions: times(several, (index) => session(index, users)),
    admin_keys: times(3, adminKey),
    one_time_links: times(3, (index) => ({
      ...{ digest: key('link', index), purpose: 'set-password', expires_at: at + index },
      ...{ user_id: index === 0 ? null : key('user', 1), used_at: index === 2 ? at : null },
    })),
    token_policy: [
      { id: 1, body: '{"requireExpiry":true}', version: 4, changed_at: at, changed_by: 'admin' },
    ],
    repeated_requests: times(several, (index) => ({
      ...{
        caller: `caller ${index % 3}`,
        key_digest: key('key', index),
        request_digest: key('request', index),
      },
      ...{ at: at + index, answer: index % 2 === 0 ? null : text(index) },
    })),
    expiry_warnings: times(Math.min(tokens, several), (index) => ({
      ...{ token_id: key('token', index), expires_at: at + index, days: 7, channel: 'mail' },
      ...{ claimed_at: at, tries: 1, sent_at: index % 2 === 0 ? null : at },
    })),
    audit: times(tokens * 2, (index) => ({
      ...{ seq: 10 + index * 3, at: at + index, action: 'token.create', actor: text(index) },
      ...{ user_id: index % 2 === 0 ? null : key('user', index % users), token_id: null },
      details: JSON.stringify({ z: text(index), a: [index, null, true] }),
    })),
    journal: times(several, (index) => ({
      ...{ seq: sampleJournalPosition + 1 - several + index, at: at + index, kind: 'token' },
      ...{ id: key('token', index), version: 1 + (index % 5) },
    })),
  };
  return new Map(tables.map((table) => [table.name, inOrder(table, rows[table.name] ?? [])]));
}

function user(index: number): Fields {
  const isRemoved = index === 3;
  return {
    ...{ id: key('user', index), name: `User ${index}`, name_key: isRemoved ? null : `user ${index}` },
    ...{
      display_name: index % 2 === 0 ? null : `${text(index)} ${index}`,
      email: null,
      language: index === 1 ? 'de' : null,
    },
    ...{ role: index === 1 ? 'admin' : 'user', source: index === 2 ? 'directory' : 'local' },
    ...{ subject: index === 2 ? 'uid=2' : null, password_hash: index === 1 ? '$argon2id$v=19$…' : null },
    ...{ source_grant: index === 2 ? 'sealed' : null, disabled: index === 2 ? 1 : 0, lapsed: 0 },
    ...{ may_have_tokens: [null, 1, 0][index % 3] ?? null, created_at: at + index, signed_in_at: null },
    ...{ source_checked_at: null, removed_at: isRemoved ? at : null, version: 1 + index },
  };
}

function token(index: number, users: number): Fields {
  const isRevoked = index % 7 === 6;
  return {
    ...{ id: key('token', index), user_id: key('user', index % users), name: text(index) },
    ...{
      digest: key('digest', index),
      pepper_id: index % 2 === 0 ? 'first' : 'Second',
      prefix: `lk_${index % 10}`,
    },
    ...{
      scopes: JSON.stringify([`path:/${text(index)}/:r`, '*']),
      created_by: 'cli:root',
      networks: '["192.0.2.0/24"]',
    },
    ...{
      created_from: index % 2 === 0 ? null : '192.0.2.1',
      created_at: at + index,
      enabled: index % 5 === 4 ? 0 : 1,
    },
    ...{
      expires_at: index % 3 === 0 ? null : 4_000_000_000_000 + index,
      sliding_ms: null,
      until: null,
      not_before: null,
    },
    ...{ delete_unused_ms: index % 11 === 0 ? 4_000_000_000_000 : null, revoked_at: isRevoked ? at : null },
    ...{ revoked_by: isRevoked ? text(index) : null, revoked_why: isRevoked ? 'lost' : null },
    ...{
      last_used_at: index % 2 === 0 ? at : null,
      last_used_address: index % 2 === 0 ? '2001:db8::1' : null,
    },
    ...{ last_used_client: index % 2 === 0 ? `davfs2/1.6 ${text(index)}` : null, version: 1 + (index % 5) },
  };
}

function session(index: number, users: number): Fields {
  return {
    ...{
      id: key('session', index),
      user_id: key('user', index % users),
      secret_digest: key('secret', index),
    },
    ...{ source: 'local', address: '192.0.2.1', client: index % 2 === 0 ? null : text(index), draft: null },
    ...{
      sign_out: null,
      created_at: at,
      seen_at: at + index,
      ends_at: 4_000_000_000_000,
      confirmed_at: null,
    },
  };
}

function adminKey(index: number): Fields {
  return {
    ...{ id: key('admin key', index), name: text(index), digest: key('admin digest', index), prefix: 'lka_' },
    ...{ scopes: '["users"]', created_by: 'cli:root', created_at: at, expires_at: null },
    ...{ revoked_at: index === 2 ? at : null, last_used_at: null },
  };
}

function times<T>(count: number, make: (index: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function inOrder(table: Table, rows: readonly Fields[]): readonly Row[] {
  const cells = (fields: Fields, names: readonly string[]): Row => names.map((name) => fields[name] ?? null);
  return rows
    .toSorted((one, other) => compare(cells(one, table.key), cells(other, table.key)))
    .map((fields) =>
      cells(
        fields,
        table.columns.map(({ name }) => name),
      ),
    );
}

function compare(one: Row, other: Row): number {
  for (const [index, cell] of one.entries()) {
    const against = other[index] ?? null;
    const order =
      typeof cell === 'number'
        ? cell - Number(against)
        : Buffer.compare(Buffer.from(String(cell)), Buffer.from(String(against)));
    if (order !== 0) return order;
  }
  return 0;
}

/** Puts the sample into an empty store, which it becomes. */
export async function fillWith(
  contents: StoreContents,
  sample: Sample,
  mode: FillMode = 'at-once',
): Promise<void> {
  const filling = await contents.fill(sampleRealm, mode);
  try {
    for (const table of tables) await filling.append(table, sample.get(table.name) ?? []);
    await filling.finish();
  } finally {
    await filling.close();
  }
}

/** Everything that a view shows; closes it. */
export async function allRows(view: ContentsView): Promise<Sample> {
  const all = new Map<string, readonly Row[]>();
  for (const table of tables) {
    const rows: Row[] = [];
    for await (const portion of view.rows(table)) rows.push(...portion.map((row) => [...row]));
    all.set(table.name, rows);
  }
  await view.close();
  return all;
}
