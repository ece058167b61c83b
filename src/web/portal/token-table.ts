import type { ShownToken } from '../../management/tokens.ts';
import { csrfField } from './layout.ts';
import type { Frame } from './frame.ts';
import { html, type Markup, type Piece } from './markup.ts';
import { paths } from './paths.ts';
import { scopesShort } from './scope-words.ts';
import { expiryBadge, lastUse, stateBadge } from './token-words.ts';

/** How a table of tokens is drawn. */
export interface TokenTable {
  readonly tokens: readonly ShownToken[];
  /** True where they belong to several people: the owner is shown. */
  readonly showsOwner: boolean;
  /** Where the browser goes after a switch or a revocation. */
  readonly next: string;
  /** The head of a column, a link where the list can be sorted by it. */
  readonly head: (column: 'name' | 'used' | 'expires') => Piece;
}

/**
 * Tokens as a table, as cards on phones. One form holds it: boxes to revoke several, a switch in each row. The first
 * button of the form is the harmless one, since browsers press it on Enter.
 */
export function tokenTable(frame: Frame, table: TokenTable): Markup {
  const { column, ...words } = frame.texts.tokens;
  const canPick = table.tokens.some((token) => token.revokedAt === null);
  return html`<form method="post" action="${paths.revokeSeveral}" class="stack">
${csrfField(frame)}<input type="hidden" name="next" value="${table.next}">
<button class="visually-hidden" tabindex="-1" aria-hidden="true">${words.revokeSelected}</button>
<table class="table" role="table">
<thead role="rowgroup"><tr role="row">
${canPick && html`<th class="pick" role="columnheader"><label hidden><input type="checkbox" data-select-all aria-label="${words.selectAll}"><span class="words">${words.selectAll}</span></label></th>`}
${table.head('name')}
${table.showsOwner && html`<th role="columnheader" scope="col">${column.owner}</th>`}
<th role="columnheader" scope="col">${column.access}</th>
${table.head('used')}
${table.head('expires')}
<th role="columnheader" scope="col">${column.state}</th>
<th role="columnheader" scope="col"><span class="visually-hidden">${column.actions}</span></th>
</tr></thead>
<tbody role="rowgroup">${table.tokens.map((token) => row(frame, table, token, canPick))}</tbody>
</table>
${canPick && html`<div class="actions"><button class="button danger">${words.revokeSelected}</button></div>`}
</form>`;
}

function row(frame: Frame, table: TokenTable, token: ShownToken, canPick: boolean): Markup {
  const { column, ...words } = frame.texts.tokens;
  const { moments } = frame;
  return html`<tr role="row">
${canPick && html`<td class="pick" role="cell">${token.revokedAt === null && html`<label><input type="checkbox" name="id" value="${token.id}" aria-label="${words.select(token.name)}"></label>`}</td>`}
<th role="rowheader" scope="row"><a class="name" href="${paths.token(token.id)}">${token.name}</a><span class="sub"><code>${token.prefix}…</code> · ${moments.dayTag(token.createdAt)}</span></th>
${table.showsOwner && html`<td role="cell" data-label="${column.owner}"><a href="${paths.user(token.userId)}">${token.ownerName}</a></td>`}
<td role="cell" data-label="${column.access}"><span>${scopesShort(frame, token.scopes)}</span></td>
<td role="cell" data-label="${column.used}"><span>${lastUse(frame, token)}</span></td>
<td role="cell" data-label="${column.expires}"><span>${expiryBadge(frame, token)}</span></td>
<td role="cell" data-label="${column.state}"><span>${standing(frame, token)}</span></td>
<td role="cell" class="end">${token.revokedAt === null && html`<a class="button danger compact" href="${paths.revoke(token.id)}" data-dialog aria-label="${words.revokeNamed(token.name)}">${words.revoke}</a>`}</td>
</tr>`;
}

/** A switch where switching makes the difference, else the state in a word. */
function standing(frame: Frame, token: ShownToken): Markup {
  const words = frame.texts.tokens;
  if (token.state !== 'active' && token.state !== 'disabled') return stateBadge(frame, token);
  const isOn = token.state === 'active';
  return html`<button class="switch" role="switch" aria-checked="${isOn ? 'true' : 'false'}" aria-label="${words.switchLabel(token.name)}" formaction="${paths.switchToken(token.id)}" name="enabled" value="${isOn ? 'no' : 'yes'}">${isOn ? words.on : words.off}</button>`;
}
