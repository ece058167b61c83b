import { type FieldError, textField } from '../fields.ts';
import type { Frame } from '../frame.ts';
import { html, type Markup } from '../markup.ts';
import type { Form } from '../../forms.ts';

/** Shorter passwords are refused anyway; here it is said in the person's language. */
const bytesMin = 8;

/** Two fields for a new password, which is never shown again. */
export function newPasswordFields(frame: Frame, errors: readonly FieldError[]): Markup {
  const { link: words } = frame.texts;
  return html`${textField({ name: 'next', label: words.password, hint: words.passwordHint, value: '', type: 'password', autocomplete: 'new-password', required: true, maxLength: 1024 }, errors)}
${textField({ name: 'again', label: words.again, value: '', type: 'password', autocomplete: 'new-password', required: true, maxLength: 1024 }, errors)}`;
}

/** What is wrong with the two before anything is asked for. */
export function newPasswordErrors({ texts }: Frame, form: Form): readonly FieldError[] {
  if (form.text('next') !== form.text('again')) return [{ field: 'again', message: texts.link.differ }];
  const isShort = Buffer.byteLength(form.text('next')) < bytesMin;
  return isShort ? [{ field: 'next', message: texts.link.short }] : [];
}
