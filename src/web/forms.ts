import type { WebContext } from './context.ts';

/** Fields that a form sent; files are never taken. */
export interface Form {
  /** The one value of a field, white space around it kept; '' where it is absent. */
  text(name: string): string;
  /** All values of a field, in order. */
  all(name: string): readonly string[];
  has(name: string): boolean;
  /** Every field and value, for forms that are shown again. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Reads a posted form (`application/x-www-form-urlencoded`); anything else is an empty one. May be called again. */
export async function readForm(c: WebContext): Promise<Form> {
  const type = c.req.header('Content-Type') ?? '';
  const isForm = type.split(';')[0]?.trim().toLowerCase() === 'application/x-www-form-urlencoded';
  const fields = isForm ? [...new URLSearchParams(await c.req.text())] : [];
  const all = (name: string): readonly string[] =>
    fields.filter(([field]) => field === name).map(([, value]) => value);
  return {
    fields,
    all,
    has: (name) => all(name).length > 0,
    text: (name) => all(name).at(-1) ?? '',
  };
}
