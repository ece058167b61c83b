/** A cell. Flags are 0 and 1; moments are milliseconds since 1970. */
export type Cell = string | number | null;

/** One row of a table: its cells in the order of the table's columns. */
export type Row = readonly Cell[];

/** A column: what it is called in every kind of store, and what it holds. */
export interface Column {
  readonly name: string;
  readonly holds: 'text' | 'number';
}

/** A table that every kind of store has. What a store derives from others for searches is no part of it. */
export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** Columns by which rows are told apart and ordered; texts by their bytes in UTF-8. */
  readonly key: readonly string[];
}

/** Counts the shapes that `tables` has had: rises with every change there, and stands in every backup. */
export const contentsVersion = 1;

/** All that a store holds, in an order in which rows name only rows of tables before theirs. */
export const tables: readonly Table[] = [
  table('users', ['id'], {
    text: 'id name name_key display_name email language role source subject password_hash source_grant',
    number: 'disabled lapsed may_have_tokens created_at signed_in_at source_checked_at removed_at version',
  }),
  table('peppers', ['id'], { text: 'id', number: '' }),
  table('tokens', ['id'], {
    text:
      'id user_id name digest pepper_id prefix scopes created_by created_from networks revoked_by revoked_why ' +
      'last_used_address last_used_client',
    number:
      'created_at expires_at sliding_ms until not_before enabled delete_unused_ms revoked_at last_used_at version',
  }),
  table('sessions', ['id'], {
    text: 'id user_id secret_digest source address client draft sign_out',
    number: 'created_at seen_at ends_at confirmed_at',
  }),
  table('admin_keys', ['id'], {
    text: 'id name digest prefix scopes created_by',
    number: 'created_at expires_at revoked_at last_used_at',
  }),
  table('one_time_links', ['digest'], { text: 'digest purpose user_id', number: 'expires_at used_at' }),
  table('token_policy', ['id'], { text: 'body changed_by', number: 'id version changed_at' }),
  table('repeated_requests', ['caller', 'key_digest'], {
    text: 'caller key_digest request_digest answer',
    number: 'at',
  }),
  table('expiry_warnings', ['token_id', 'expires_at', 'days', 'channel'], {
    text: 'token_id channel',
    number: 'expires_at days claimed_at tries sent_at',
  }),
  table('audit', ['seq'], { text: 'action actor user_id token_id details', number: 'seq at' }),
  // Its newest row is never pruned: the numbers go on above it.
  table('journal', ['seq'], { text: 'kind id', number: 'seq at version' }),
];

function table(
  name: string,
  key: readonly string[],
  columns: Readonly<Record<Column['holds'], string>>,
): Table {
  const holding = (holds: Column['holds']): readonly Column[] =>
    columns[holds].split(' ').flatMap((each) => (each === '' ? [] : [{ name: each, holds }]));
  return { name, key, columns: [...holding('text'), ...holding('number')] };
}
