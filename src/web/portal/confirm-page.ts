import { type FieldError, textField } from './fields.ts';
import type { Frame } from './frame.ts';
import { csrfField, renderPage } from './layout.ts';
import { html, type Markup } from './markup.ts';
import { paths } from './paths.ts';

/** Fields that a form carries on, in order. */
export type CarriedFields = readonly (readonly [name: string, value: string])[];

/** What is asked before a change. */
export interface ConfirmView {
  /** Where the form goes that is being confirmed. */
  readonly action: string;
  readonly fields: CarriedFields;
  /** The provider to confirm with; null: with the password. */
  readonly provider: string | null;
  readonly error: string | null;
}

/** Fields of the confirmation itself, which are never carried on. */
export const confirmationFields: ReadonlySet<string> = new Set([
  'csrf',
  'confirm_password',
  'confirm_provider',
  'draft',
]);

/** Asks for the password, or for a sign-in at the provider, and then goes on with what was sent. */
export function renderConfirm(frame: Frame, view: ConfirmView): Markup {
  const { confirm: words } = frame.texts;
  const errors: readonly FieldError[] =
    view.error === null ? [] : [{ field: 'confirm_password', message: view.error }];
  return renderPage(frame, {
    title: words.title,
    section: null,
    hasErrors: view.error !== null,
    body: html`<div class="narrow stack">
<h1>${words.title}</h1>
<p class="lead">${words.lead}</p>
<form method="post" action="${view.action}" class="card form" novalidate>
${csrfField(frame)}${carried(view.fields)}
${view.provider === null ? passwordPart(frame, errors) : providerPart(frame, view.provider, errors)}
</form>
</div>`,
  });
}

/** After the provider: one button that goes on with what was kept. */
export function renderResume(frame: Frame, action: string, fields: CarriedFields): Markup {
  const { confirm: words } = frame.texts;
  return renderPage(frame, {
    title: words.resumeTitle,
    section: null,
    body: html`<div class="narrow stack">
<h1>${words.resumeTitle}</h1>
<p class="lead">${words.resumeLead}</p>
<form method="post" action="${action}" class="card form">
${csrfField(frame)}${carried(fields)}<input type="hidden" name="draft" value="done">
<div class="actions"><button class="button primary" autofocus>${words.resumeButton}</button><a class="button" href="${paths.tokens}">${frame.texts.tokenForm.cancel}</a></div>
</form>
</div>`,
  });
}

/** Hidden fields. */
export function carried(fields: CarriedFields): Markup {
  return html`${fields.map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}`;
}

function passwordPart(frame: Frame, errors: readonly FieldError[]): Markup {
  const { confirm: words, tokenForm } = frame.texts;
  return html`${textField({ name: 'confirm_password', label: words.password, value: '', type: 'password', autocomplete: 'current-password', required: true, maxLength: 1024, isFirst: true }, errors)}
<div class="actions"><button class="button primary">${words.button}</button><a class="button" href="${paths.tokens}">${tokenForm.cancel}</a></div>`;
}

function providerPart(frame: Frame, provider: string, errors: readonly FieldError[]): Markup {
  const { confirm: words, tokenForm } = frame.texts;
  return html`${errors.map(({ message }) => html`<p class="message bad" role="alert">${message}</p>`)}
<p>${words.provider}</p>
<div class="actions"><button class="button primary" name="confirm_provider" value="yes">${words.providerButton(provider)}</button><a class="button" href="${paths.tokens}">${tokenForm.cancel}</a></div>`;
}
