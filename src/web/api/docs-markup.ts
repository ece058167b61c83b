import { html as honoHtml } from 'hono/html';

/** Text that is HTML already: only `html` makes it, and everything put into it is escaped. */
export type Markup = ReturnType<typeof honoHtml>;

/** What may stand in a template. */
type Piece = string | number | false | Markup | readonly Piece[];

/** A template of HTML. Attribute values are written in double quotes. */
export const html: (strings: TemplateStringsArray, ...pieces: readonly Piece[]) => Markup = honoHtml;

/** Prose in which `code` stands between backquotes. */
export function prose(text: string): Markup {
  const parts = text.split('`');
  return html`${parts.map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part))}`;
}
