import { pathToText } from '../../core/path.ts';
import { type Access, parseScope } from '../../core/scope.ts';
import type { Frame } from './frame.ts';
import { html, type Markup } from './markup.ts';

/** The scope of a token that may read everything its owner may. */
export const readEverything = 'path:/:r';

/** What a scope allows, in words; its own text where it cannot be read. */
export function scopeInWords(frame: Frame, text: string): string {
  const { scope: words } = frame.texts.tokens;
  const scope = parseScope(text);
  switch (scope.kind) {
    case 'everything':
      return words.everything;
    case 'path':
      if (text === readEverything) return words.readEverything;
      return words.folder(pathToText(scope.path), accessInWords(frame, scope.access));
    case 'route':
      return words.route(scope.route, accessInWords(frame, scope.access));
    case 'node':
      return words.node(scope.node, accessInWords(frame, scope.access));
    case 'scope_problem':
      return text;
    default:
      return scope satisfies never;
  }
}

/** The first scopes of a token in words, and how many more there are. */
export function scopesShort(frame: Frame, scopes: readonly string[], shown = 2): Markup {
  const rest = scopes.length - shown;
  return html`${scopes.slice(0, shown).map((scope, at) => html`${at > 0 && html`<br>`}${breakable(scopeInWords(frame, scope))}`)}${rest > 0 && html`<span class="sub">${frame.texts.tokens.scope.more(rest)}</span>`}`;
}

/** All scopes of a token in words, one below the other. */
export function scopesLong(frame: Frame, scopes: readonly string[]): Markup {
  return html`<ul class="plain">${scopes.map((scope) => html`<li>${breakable(scopeInWords(frame, scope))}</li>`)}</ul>`;
}

/** Paths go on in the next line behind a slash, before a name would be cut in two. */
function breakable(text: string): Markup {
  const parts = text.split(/(?<=.\/)(?=[^:\s])/);
  return html`${parts.map((part, at) => html`${at > 0 && html`<wbr>`}${part}`)}`;
}

/** What may be done, in words. */
export function accessInWords({ texts }: Frame, { read, write }: Access): string {
  const { scope } = texts.tokens;
  if (read && write) return scope.both;
  return read ? scope.read : scope.write;
}
