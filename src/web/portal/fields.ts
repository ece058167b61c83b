import type { Frame } from './frame.ts';
import { html, type Markup, type Piece } from './markup.ts';

/** What is wrong with a field of a form, named by the id of its control. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** All that is wrong, at the top of the form, each with the way to its field; nothing where all is well. */
export function errorSummary({ texts }: Frame, errors: readonly FieldError[]): Piece {
  if (errors.length === 0) return null;
  return html`<div class="message bad" role="alert" tabindex="-1" autofocus>
<h2>${texts.frame.problem(errors.length)}</h2>
<ul>${errors.map(({ field, message }) => html`<li><a href="#${field}">${message}</a></li>`)}</ul>
</div>`;
}

/** The error beside a field; nothing where there is none. `isAlert`: no summary tells it beside. */
export function fieldError(field: string, errors: readonly FieldError[], isAlert = false): Piece {
  const error = errors.find((one) => one.field === field);
  return (
    error !== undefined &&
    html`<p class="error" id="${field}-error"${isAlert && html` role="alert"`}>${error.message}</p>`
  );
}

/** The attributes by which a control names its hint and its error. */
export function describedBy(field: string, hasHint: boolean, errors: readonly FieldError[]): Piece {
  const isWrong = errors.some((one) => one.field === field);
  const names = [...(hasHint ? [`${field}-hint`] : []), ...(isWrong ? [`${field}-error`] : [])];
  return html`${names.length > 0 && html` aria-describedby="${names.join(' ')}"`}${isWrong && html` aria-invalid="true"`}`;
}

/** A field of one line. */
export interface TextField {
  /** Its id and its name. */
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly hint?: string;
  readonly type?: 'text' | 'password' | 'email' | 'search' | 'number' | 'date';
  /** As browsers fill it in; 'off' where they should not. */
  readonly autocomplete?: string;
  readonly required?: boolean;
  readonly maxLength?: number;
  readonly min?: string;
  readonly max?: string;
  readonly inputMode?: string;
  readonly isCode?: boolean;
  readonly className?: string;
  /** Where the page begins: a form of few fields, or the field that was wrong. */
  readonly isFirst?: boolean;
}

/** A label, its control, a hint and an error, tied together. */
export function textField(field: TextField, errors: readonly FieldError[] = []): Markup {
  const { name, label, value, hint, type = 'text', autocomplete = 'off', className = '' } = field;
  const isCode = field.isCode === true;
  return html`<div class="field ${className}">
<label for="${name}">${label}</label>
${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}
<input id="${name}" name="${name}" type="${type}" value="${value}" autocomplete="${autocomplete}"${
    isCode && html` autocapitalize="none" spellcheck="false"`
  }${field.isFirst === true && html` autofocus`}${field.required === true && html` required`}${attribute('maxlength', field.maxLength)}${attribute('min', field.min)}${attribute('max', field.max)}${attribute('inputmode', field.inputMode)}${describedBy(name, hint !== undefined, errors)}>
${fieldError(name, errors, field.isFirst)}
</div>`;
}

/** A choice among few, as a menu. */
export function selectField(field: {
  readonly name: string;
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, label: string])[];
  readonly hint?: string;
}): Markup {
  const { name, label, value, options, hint } = field;
  return html`<div class="field">
<label for="${name}">${label}</label>
${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}
<select id="${name}" name="${name}"${describedBy(name, hint !== undefined, [])}>${options.map(
    ([option, text]) =>
      html`<option value="${option}"${option === value && html` selected`}>${text}</option>`,
  )}</select>
</div>`;
}

/** One of several, all in view: a radio button with its label and what it means. */
export function choice(field: {
  readonly name: string;
  readonly id: string;
  readonly value: string;
  readonly label: string;
  readonly hint?: string | undefined;
  readonly isChosen: boolean;
}): Markup {
  const { name, id, value, label, hint, isChosen } = field;
  return html`<label class="choice" for="${id}"><input type="radio" id="${id}" name="${name}" value="${value}"${isChosen && html` checked`}><span>${label}${hint !== undefined && html`<small>${hint}</small>`}</span></label>`;
}

/** A box to tick, with its label and what it means. */
export function tickField(field: {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly isTicked: boolean;
}): Markup {
  const { name, label, hint, isTicked } = field;
  return html`<div class="tick"><input type="checkbox" id="${name}" name="${name}" value="yes"${isTicked && html` checked`}${describedBy(name, hint !== undefined, [])}><div><label for="${name}">${label}</label>${hint !== undefined && html`<p class="hint" id="${name}-hint">${hint}</p>`}</div></div>`;
}

function attribute(name: string, value: string | number | undefined): Piece {
  return value !== undefined && html` ${name}="${value}"`;
}
