import { errorSummary, textField } from '../fields.ts';
import type { Frame } from '../frame.ts';
import { csrfField, renderPage } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { accessPart, advancedPart, expiryPart, type FormParts } from './form-parts.ts';

/** The form for a token. */
export interface TokenForm extends FormParts {
  /** Where it is sent. */
  readonly action: string;
  /** Where "Cancel" leads. */
  readonly cancel: string;
  /** The words on the button. */
  readonly submit: string;
  /** Carried along: the version that is being edited. */
  readonly version: number | null;
}

/** A page that makes a token. */
export interface NewTokenView extends TokenForm {
  readonly title: string;
  readonly lead: string;
}

/** The page "New token", also for a copy and for somebody else's. */
export function renderNewToken(frame: Frame, view: NewTokenView): Markup {
  return renderPage(frame, {
    title: view.title,
    section: 'tokens',
    hasErrors: view.errors.length > 0,
    body: html`<div class="narrow stack">
<p class="trail"><a href="${view.cancel}">${frame.texts.token.back}</a></p>
<h1>${view.title}</h1>
<p class="lead">${view.lead}</p>
${!view.policy.startsEnabled && html`<p class="message">${frame.texts.tokenForm.startsOff}</p>`}
${tokenForm(frame, view)}
</div>`,
  });
}

/** The form itself. Its first button saves: browsers press that one on Enter. */
export function tokenForm(frame: Frame, form: TokenForm): Piece {
  const words = frame.texts.tokenForm;
  const { draft, errors } = form;
  return html`<form method="post" action="${form.action}" class="card form" novalidate>
<button class="visually-hidden" tabindex="-1" aria-hidden="true">${form.submit}</button>
${errorSummary(frame, errors)}
${csrfField(frame)}${form.version !== null && html`<input type="hidden" name="version" value="${form.version}">`}
${textField({ name: 'name', label: words.name, hint: words.nameHint, value: draft.name, required: true, maxLength: 200 }, errors)}
${expiryPart(frame, form)}
${accessPart(frame, form)}
${advancedPart(frame, form)}
<div class="actions"><button class="button primary">${form.submit}</button><a class="button" href="${form.cancel}">${words.cancel}</a></div>
</form>`;
}
