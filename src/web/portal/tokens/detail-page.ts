import type { ShownEvent } from '../../../management/audit.ts';
import type { ShownToken } from '../../../management/tokens.ts';
import { actorName, eventName } from '../event-words.ts';
import type { Frame } from '../frame.ts';
import { csrfField, renderPage } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { paths } from '../paths.ts';
import { scopesLong } from '../scope-words.ts';
import { expiryBadge, lastUse, stateBadge } from '../token-words.ts';
import { type TokenForm, tokenForm } from './form-page.ts';

/** One token, with what can be done to it. */
export interface TokenView {
  readonly token: ShownToken;
  readonly isOwn: boolean;
  /** Null where it is revoked and nothing can be changed any more. */
  readonly form: TokenForm | null;
  /** The newest first. */
  readonly events: readonly ShownEvent[];
  /** True where it was changed by somebody while being edited here. */
  readonly isStale: boolean;
}

/** The page about one token: facts, settings, changes, history. */
export function renderToken(frame: Frame, view: TokenView): Markup {
  const { token, isOwn, form } = view;
  const words = frame.texts.token;
  return renderPage(frame, {
    title: token.name,
    section: isOwn ? 'tokens' : 'allTokens',
    hasErrors: form !== null && form.errors.length > 0,
    body: html`<div class="narrow stack">
<p class="trail"><a href="${isOwn ? paths.tokens : paths.allTokens}">${words.back}</a></p>
<div class="head"><h1>${token.name}</h1>${stateBadge(frame, token)}</div>
${view.isStale && html`<p class="message warn" role="alert">${frame.texts.errors.stale}</p>`}
<section class="card stack"><h2>${words.facts}</h2>${facts(frame, view)}</section>
${token.revokedAt === null && html`<section class="card stack"><h2>${words.more}</h2>${changes(frame, token)}</section>`}
${form !== null && html`<section class="stack"><h2>${words.edit}</h2>${tokenForm(frame, form)}</section>`}
<section class="card stack"><h2>${words.history}</h2>${history(frame, view.events)}</section>
</div>`,
  });
}

function facts(frame: Frame, { token, isOwn }: TokenView): Markup {
  const { texts, moments, now } = frame;
  const words = texts.token;
  const { createdFrom, deleteUnusedMs, revokedAt } = token;
  const createdBy = actorName(frame, token.createdBy);
  const maker =
    createdFrom === null ? words.createdByWho(createdBy) : words.createdBy(createdBy, createdFrom);
  return html`<dl class="facts">
<dt>${words.starts}</dt><dd><code>${token.prefix}…</code></dd>
${!isOwn && html`<dt>${words.owner}</dt><dd><a href="${paths.user(token.userId)}">${token.ownerName}</a></dd>`}
<dt>${words.used}</dt><dd>${lastUse(frame, token)}</dd>
<dt>${words.ends}</dt><dd>${expiryBadge(frame, token)}${token.expiresAt !== null && html`<span class="sub">${moments.exactTag(token.expiresAt)}</span>`}${
    deleteUnusedMs !== null &&
    html`<span class="sub">${texts.tokens.unusedEnds(moments.span(deleteUnusedMs))}</span>`
  }</dd>
${token.notBefore !== null && token.notBefore > now && html`<dt>${words.validFrom}</dt><dd>${moments.exactTag(token.notBefore)}</dd>`}
<dt>${words.access}</dt><dd>${scopesLong(frame, token.scopes)}</dd>
<dt>${words.networks}</dt><dd>${token.networks.length === 0 ? words.anywhere : token.networks.map((network) => html`<code>${network}</code><br>`)}</dd>
<dt>${words.created}</dt><dd>${moments.exactTag(token.createdAt)}<span class="sub">${maker}</span></dd>
${
  revokedAt !== null &&
  html`<dt>${words.revokedAt}</dt><dd>${moments.exactTag(revokedAt)}${token.revokedBy !== null && html`<span class="sub">${words.revokedBy(actorName(frame, token.revokedBy))}</span>`}</dd>`
}
</dl>`;
}

function changes(frame: Frame, token: ShownToken): Markup {
  const { token: words, tokens } = frame.texts;
  const switchWord = token.enabled ? words.switchOff : words.switchOn;
  const line = (control: Piece, hint: string): Markup =>
    html`<li>${control}<span class="hint">${hint}</span></li>`;
  const link = (href: string, label: string): Markup => html`<a class="button" href="${href}">${label}</a>`;
  return html`<ul class="deeds">
${line(
  html`<form method="post" action="${paths.switchToken(token.id)}">${csrfField(frame)}<input type="hidden" name="next" value="${paths.token(token.id)}"><button class="button" name="enabled" value="${token.enabled ? 'no' : 'yes'}">${switchWord}</button></form>`,
  words.switchHint,
)}
${line(link(paths.regenerate(token.id), words.regenerate), words.regenerateHint)}
${line(link(paths.copyToken(token.id), words.copy), words.copyHint)}
${line(html`<a class="button danger" href="${paths.revoke(token.id)}" data-dialog>${tokens.revoke}</a>`, words.revokeHint)}
</ul>`;
}

function history(frame: Frame, events: readonly ShownEvent[]): Piece {
  const { texts, moments, now } = frame;
  if (events.length === 0) return html`<p class="soft">${texts.token.noHistory}</p>`;
  return html`<ul class="history">${events.map(
    (event) =>
      html`<li>${eventName(frame, event.action)} <span class="sub">${moments.relativeTag(event.at, now)} · ${texts.token.createdByWho(actorName(frame, event.actor))}</span></li>`,
  )}</ul>`;
}
