import type { Page } from '../../../core/page.ts';
import { localSource } from '../../../identity/user-store.ts';
import type { ShownUser } from '../../../management/people.ts';
import type { ShownSession } from '../../../management/sessions.ts';
import type { ShownToken } from '../../../management/tokens.ts';
import { errorSummary, type FieldError, selectField, textField } from '../fields.ts';
import type { Frame } from '../frame.ts';
import { csrfField, renderPage } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { paths } from '../paths.ts';
import { sessionLine } from '../session-line.ts';
import { type ListAsked, pageLinks, sortableHead, tokenFilter } from '../token-list.ts';
import { tokenTable } from '../token-table.ts';
import { sourceName, userBadge } from './user-words.ts';

/** Fields of a user as typed. */
export interface UserDraft {
  readonly displayName: string;
  readonly email: string;
  readonly role: 'user' | 'admin';
  readonly mayHaveTokens: 'policy' | 'yes' | 'no';
}

/** One user, for admins. */
export interface UserView {
  readonly user: ShownUser;
  readonly draft: UserDraft;
  readonly errors: readonly FieldError[];
  readonly isStale: boolean;
  readonly asked: ListAsked;
  readonly tokens: Page<ShownToken>;
  readonly sessions: readonly ShownSession[];
}

/** A user's page: account, tokens, browsers, and what can be done. */
export function renderUser(frame: Frame, view: UserView): Markup {
  const { users: words, errors } = frame.texts;
  const { user } = view;
  const title = user.displayName ?? user.name;
  return renderPage(frame, {
    title,
    section: 'users',
    hasErrors: view.errors.length > 0,
    body: html`<p class="trail"><a href="${paths.users}">${words.title}</a></p>
<div class="head"><h1>${title}</h1>${userBadge(frame, user)}</div>
${view.isStale && html`<p class="message warn" role="alert">${errors.stale}</p>`}
${user.lapsed && html`<p class="message warn">${words.lapsedHint}</p>`}
<div class="split">${account(frame, view)}${deeds(frame, user)}</div>
${tokens(frame, view)}
${browsers(frame, view)}`,
  });
}

function account(frame: Frame, { user, draft, errors }: UserView): Markup {
  const { users: words, account: labels } = frame.texts;
  const { moments } = frame;
  const isLocal = user.source === localSource;
  return html`<section class="card stack"><h2>${words.account}</h2>
<dl class="facts"><dt>${labels.userName}</dt><dd><code>${user.name}</code></dd><dt>${words.source}</dt><dd>${sourceName(frame, user)}</dd>
<dt>${words.created}</dt><dd>${moments.dayTag(user.createdAt)}</dd>
<dt>${words.signedIn}</dt><dd>${user.signedInAt === null ? words.never : moments.relativeTag(user.signedInAt, frame.now)}</dd></dl>
<form method="post" action="${paths.user(user.id)}" class="stack" novalidate>
${errorSummary(frame, errors)}
${csrfField(frame)}<input type="hidden" name="version" value="${user.version}">
${isLocal ? ownFields(frame, draft, errors) : html`<p class="soft">${words.sourceHint(user.source)}</p>`}
<div class="pair">
${selectField({
  name: 'role',
  label: words.role,
  value: draft.role,
  options: [
    ['user', words.roles.user],
    ['admin', words.roles.admin],
  ],
})}
${selectField({
  name: 'mayHaveTokens',
  label: words.mayHaveTokens,
  value: draft.mayHaveTokens,
  options: [
    ['policy', words.byPolicy],
    ['yes', words.yes],
    ['no', words.no],
  ],
})}
</div>
<div class="actions"><button class="button primary">${words.save}</button></div>
</form></section>`;
}

/** Name and mail address, which local users alone have from us. */
export function ownFields(
  frame: Frame,
  draft: Pick<UserDraft, 'displayName' | 'email'>,
  errors: readonly FieldError[],
): Markup {
  const { users: words } = frame.texts;
  return html`<div class="pair">
${textField({ name: 'displayName', label: words.displayName, value: draft.displayName, maxLength: 200 }, errors)}
${textField({ name: 'email', label: words.email, hint: words.emailHint, value: draft.email, type: 'email', maxLength: 254 }, errors)}
</div>`;
}

function deeds(frame: Frame, user: ShownUser): Markup {
  const { users: words } = frame.texts;
  const line = (control: Piece, hint: string): Markup =>
    html`<li>${control}<span class="hint">${hint}</span></li>`;
  const post = (deed: string, label: string): Markup =>
    html`<form method="post" action="${paths.user(user.id)}/${deed}">${csrfField(frame)}<button class="button">${label}</button></form>`;
  const ask = (deed: string, label: string): Markup =>
    html`<a class="button danger" href="${paths.user(user.id)}/${deed}" data-dialog>${label}</a>`;
  return html`<section class="card stack"><h2>${frame.texts.token.more}</h2><ul class="deeds">
${user.source === localSource && line(post('password-link', words.passwordLink), words.passwordLinkHint)}
${user.disabled ? line(post('enable', words.enable), words.disableHint) : line(ask('disable', words.disable), words.disableHint)}
${line(ask('remove', words.remove), words.removeHint)}
</ul></section>`;
}

function tokens(frame: Frame, { user, asked, tokens: page }: UserView): Markup {
  const { users: words } = frame.texts;
  const action = paths.user(user.id);
  const isAll = page.items.length === 0 && asked.text === '' && asked.state === '';
  return html`<section class="stack" aria-labelledby="tokens"><div class="head"><h2 id="tokens">${words.tokens}</h2><a class="button" href="${paths.newTokenFor(user.id)}">${words.newToken}</a></div>
${
  isAll
    ? html`<p class="card soft">${words.noTokens}</p>`
    : html`${tokenFilter(frame, action, asked)}${
        page.items.length === 0
          ? html`<p class="card soft">${frame.texts.tokens.noMatch}</p>`
          : tokenTable(frame, {
              tokens: page.items,
              showsOwner: false,
              next: action,
              head: sortableHead(frame, action, asked),
            })
      }${pageLinks(frame, action, asked, page)}`
}
</section>`;
}

function browsers(frame: Frame, { user, sessions }: UserView): Markup {
  const { users: words } = frame.texts;
  const end = html`<form method="post" action="${paths.user(user.id)}/sign-out">${csrfField(frame)}<button class="button danger">${words.endSessions}</button></form>`;
  return html`<section class="card stack" aria-labelledby="browsers"><h2 id="browsers">${words.sessions}</h2>
${sessions.length === 0 ? html`<p class="soft">${words.noSessions}</p>` : html`<ul class="devices">${sessions.map((session) => sessionLine(frame, session, null))}</ul>${end}`}
</section>`;
}
