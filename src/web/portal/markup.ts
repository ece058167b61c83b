import { html as honoHtml } from 'hono/html';

/** Text that is HTML already: only `html` makes it, and everything put into it is escaped. */
export type Markup = ReturnType<typeof honoHtml>;

/** What may stand in a template: text is escaped; nothing, null and booleans leave no trace. */
export type Piece = string | number | boolean | null | undefined | Markup | readonly Piece[];

/** A template of HTML. Attribute values are written in double quotes. */
export const html: (strings: TemplateStringsArray, ...pieces: readonly Piece[]) => Markup = honoHtml;
