import { createHash } from 'node:crypto';

/** What a statement is given. */
export type Parameters = Readonly<
  Record<string, string | number | null | readonly (string | null)[] | readonly number[]>
>;

/** SQL with its parameters in the order of their numbers. */
export interface Statement {
  /** Prepared under this name once per connection; null: planned for what it is given each time. */
  readonly name: string | null;
  readonly text: string;
  readonly parameters: readonly string[];
}

/** A statement with `:named` parameters that each connection parses and plans once. */
export function prepared(sql: string): Statement {
  const statement = planned(sql);
  return { ...statement, name: createHash('sha256').update(statement.text).digest('hex').slice(0, 24) };
}

/** A statement whose best plan hangs on what is asked. */
export function planned(sql: string): Statement {
  const parameters: string[] = [];
  const text = sql.replaceAll(/(?<!:):([A-Za-z]\w*)/g, (_match, name: string) => {
    if (!parameters.includes(name)) parameters.push(name);
    return `$${parameters.indexOf(name) + 1}`;
  });
  return { name: null, text, parameters };
}

/** The statement with its values, as `pg` takes it. */
export function bind(
  { name, text, parameters }: Statement,
  given: Parameters,
): { readonly name?: string; readonly text: string; readonly values: unknown[] } {
  const values = parameters.map((parameter) => {
    const value = given[parameter];
    if (value === undefined) throw new Error(`no value for :${parameter} in ${text}`);
    return withoutNul(value);
  });
  return { ...(name !== null && { name }), text, values };
}

/** PostgreSQL's texts hold no NUL, so nothing that it keeps has one either: it is looked for in vain. */
function withoutNul(value: Parameters[string]): unknown {
  if (typeof value === 'string') return value.replaceAll('\0', '\u{fffd}');
  return Array.isArray(value) ? value.map(withoutNul) : value;
}

/** The pattern of LIKE for texts that hold this one. */
export function holding(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}
