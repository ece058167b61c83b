import type { Page } from '../../../core/page.ts';
import type { ShownEvent } from '../../../management/audit.ts';
import { errorSummary, type FieldError, textField } from '../fields.ts';
import { actorName, eventName } from '../event-words.ts';
import type { Frame } from '../frame.ts';
import { renderPage } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { paths, withQuery } from '../paths.ts';
import { detailsInWords } from './audit-words.ts';

/** What the audit log was asked for, as its address says. */
export interface AuditAsked {
  readonly action: string;
  readonly actor: string;
  readonly user: string;
  readonly token: string;
  readonly from: string;
  readonly until: string;
}

/** One page of the audit log. */
export interface AuditView {
  readonly asked: AuditAsked;
  readonly after: string;
  readonly errors: readonly FieldError[];
  readonly page: Page<ShownEvent>;
  /** At most so many events go into a file. */
  readonly exportMax: number;
}

/** Who did what. */
export function renderAudit(frame: Frame, view: AuditView): Markup {
  const { admin: words } = frame.texts;
  const { page, asked } = view;
  const query: Readonly<Record<string, string>> = { ...asked };
  return renderPage(frame, {
    title: words.auditTitle,
    section: 'audit',
    hasErrors: view.errors.length > 0,
    body: html`<div><h1>${words.auditTitle}</h1><p class="lead">${words.auditLead}</p></div>
${errorSummary(frame, view.errors)}
${filter(frame, view)}
${page.items.length === 0 ? html`<p class="card">${words.none}</p>` : table(frame, page.items)}
${pages(frame, view)}
<div class="row"><a class="button" href="${withQuery(`${paths.audit}/export.csv`, query)}" download>${words.exportCsv}</a><a class="button" href="${withQuery(`${paths.audit}/export.ndjson`, query)}" download>${words.exportLines}</a><span class="hint">${words.exportHint(view.exportMax)}</span></div>`,
  });
}

function filter(frame: Frame, { asked, errors }: AuditView): Markup {
  const { admin: words } = frame.texts;
  return html`<form method="get" action="${paths.audit}" role="search" class="stack" novalidate>
<div class="pair">
${textField({ name: 'action', label: words.action, hint: words.actionHint, value: asked.action, isCode: true, maxLength: 64 }, errors)}
${textField({ name: 'actor', label: words.actor, hint: words.actorHint, value: asked.actor, isCode: true, maxLength: 200 }, errors)}
</div>
<div class="pair">
${textField({ name: 'user', label: words.user, hint: words.userHint, value: asked.user, isCode: true, maxLength: 64 }, errors)}
${textField({ name: 'token', label: words.token, hint: words.tokenHint, value: asked.token, isCode: true, maxLength: 64 }, errors)}
${textField({ name: 'from', label: words.from, value: asked.from, type: 'date' }, errors)}
${textField({ name: 'until', label: words.until, value: asked.until, type: 'date' }, errors)}
</div>
<div><button class="button">${words.show}</button></div>
</form>`;
}

function table(frame: Frame, events: readonly ShownEvent[]): Markup {
  const { column } = frame.texts.admin;
  const head = (label: string): Markup => html`<th role="columnheader" scope="col">${label}</th>`;
  return html`<table class="table" role="table">
<thead role="rowgroup"><tr role="row">${[column.action, column.at, column.actor, column.about, column.details].map(head)}</tr></thead>
<tbody role="rowgroup">${events.map((event) => row(frame, event))}</tbody>
</table>`;
}

function row(frame: Frame, event: ShownEvent): Markup {
  const { column } = frame.texts.admin;
  const { userId, userName, tokenId } = event;
  const details = detailsInWords(frame, event.details);
  return html`<tr role="row">
<th role="rowheader" scope="row">${eventName(frame, event.action)}<span class="sub"><code>${event.action}</code></span></th>
<td role="cell" data-label="${column.at}"><span>${frame.moments.exactTag(event.at)}</span></td>
<td role="cell" data-label="${column.actor}"><span>${actorName(frame, event.actor)}</span></td>
<td role="cell" data-label="${column.about}"><span>${userId !== null && html`<a href="${paths.user(userId)}">${userName ?? userId}</a>`}${tokenId !== null && html`<a class="sub" href="${paths.token(tokenId)}">${frame.texts.once.token}</a>`}</span></td>
<td role="cell" data-label="${column.details}"><span class="small">${details}</span></td>
</tr>`;
}

function pages(frame: Frame, { asked, after, page }: AuditView): Piece {
  const { tokens: words } = frame.texts;
  if (page.next === null && after === '') return null;
  const at = (next: string | null): string => withQuery(paths.audit, { ...asked, after: next });
  return html`<nav class="pages" aria-label="${words.nextPage}"><span></span><span class="row">${after !== '' && html`<a class="button" href="${at(null)}">${words.firstPage}</a>`}${page.next !== null && html`<a class="button" href="${at(page.next)}">${words.nextPage}</a>`}</span></nav>`;
}
