import { localSource } from '../../../identity/user-store.ts';
import type { Person } from '../../../management/caller.ts';
import { errorSummary, type FieldError, selectField, textField } from '../fields.ts';
import type { Frame } from '../frame.ts';
import { csrfField, renderPage } from '../layout.ts';
import { html, type Markup } from '../markup.ts';
import { paths } from '../paths.ts';
import { newPasswordFields } from './password-fields.ts';

/** The account page: who one is, password, language, signing out everywhere. */
export function renderAccount(frame: Frame, person: Person, errors: readonly FieldError[]): Markup {
  const { account: words, users, devices } = frame.texts;
  const { user } = person;
  const isLocal = user.source === localSource;
  return renderPage(frame, {
    title: words.title,
    section: 'account',
    hasErrors: errors.length > 0,
    body: html`<div class="narrow stack">
<h1>${words.title}</h1>
<section class="card stack"><h2>${words.you}</h2><dl class="facts">
<dt>${words.userName}</dt><dd><code>${user.name}</code><span class="sub">${words.userNameHint}</span></dd>
${user.displayName !== null && html`<dt>${words.displayName}</dt><dd>${user.displayName}</dd>`}
${user.email !== null && html`<dt>${words.email}</dt><dd>${user.email}</dd>`}
<dt>${words.source}</dt><dd>${isLocal ? words.local : user.source}</dd>
<dt>${words.role}</dt><dd>${users.roles[user.role]}</dd>
</dl></section>
<section class="card stack"><h2>${words.changePassword}</h2>${
      isLocal && user.passwordHash !== null
        ? passwordForm(frame, errors)
        : html`<p>${isLocal ? words.noPassword : words.elsewhere(user.source)}</p>`
    }</section>
<section class="card stack"><h2>${words.language}</h2>
<form method="post" action="${paths.language}" class="inline">${csrfField(frame)}
${selectField({
  name: 'language',
  label: words.language,
  value: frame.language,
  options: [
    ['en', frame.texts.frame.english],
    ['de', frame.texts.frame.german],
  ],
})}<button class="button">${words.saveLanguage}</button></form></section>
<section class="card stack"><h2>${words.sessions}</h2><p>${words.sessionsLead}</p>
<form method="post" action="${paths.endAllSessions}">${csrfField(frame)}<button class="button danger" name="here" value="yes">${devices.endAllToo}</button></form></section>
</div>`,
  });
}

function passwordForm(frame: Frame, errors: readonly FieldError[]): Markup {
  const { account: words } = frame.texts;
  return html`<form method="post" action="${paths.password}" class="stack" novalidate>
${errorSummary(frame, errors)}
${csrfField(frame)}
${textField({ name: 'current', label: words.current, value: '', type: 'password', autocomplete: 'current-password', required: true, maxLength: 1024 }, errors)}
${newPasswordFields(frame, errors)}
<div class="actions"><button class="button primary">${words.save}</button></div>
</form>`;
}
