import type { TokenRecord } from '../../tokens/token-store.ts';
import { foldText } from '../fold-text.ts';
import { ownedTokenColumns, ownedTokenSource, toParameters, tokenColumns } from '../token-rows.ts';
import type { Parameters } from './statement.ts';

const columns = [...tokenColumns, 'name_key', 'client_key'];

/** Finds tokens with their owners; a condition goes behind it. */
export const selectOwnedSql: string = `SELECT ${ownedTokenColumns} FROM ${ownedTokenSource}`;

/** Inserts a whole token; takes `toTokenParameters`. */
export const insertTokenSql: string = `
  INSERT INTO tokens (${columns.join(', ')}) VALUES (${columns.map((column) => `:${column}`).join(', ')})`;

/** Writes every field of the tokens that `:rows` holds as JSON: a list of `toTokenParameters`. */
export const updateTokensSql: string = `
  UPDATE tokens t SET ${columns.map((column) => `${column} = r.${column}`).join(', ')}
  FROM json_populate_recordset(NULL::tokens, :rows::json) r WHERE t.id = r.id`;

/** A token as the columns of its row. */
export function toTokenParameters(token: TokenRecord): Record<string, string | number | null> {
  return {
    ...toParameters(token),
    name_key: foldText(token.name),
    client_key: clientKey(token.lastUsedClient),
  };
}

/** What searches look in of a client. */
export function clientKey(client: string | null): string {
  return foldText(client ?? '');
}

/** Several tokens as the parameter of `updateTokensSql`. */
export function toRowsParameter(tokens: readonly TokenRecord[]): Parameters {
  // As in every other parameter: PostgreSQL's texts hold no NUL.
  return { rows: JSON.stringify(tokens.map(toTokenParameters)).replaceAll(String.raw`\u0000`, '\u{fffd}') };
}
