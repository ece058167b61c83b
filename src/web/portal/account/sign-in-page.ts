import type { SignInWay } from '../../../management/sign-in.ts';
import { type FieldError, textField } from '../fields.ts';
import type { Frame } from '../frame.ts';
import { csrfField, renderDoor } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { paths } from '../paths.ts';

/** What the sign-in page shows. */
export interface SignInView {
  readonly ways: readonly SignInWay[];
  /** As typed before, so that nothing is lost. */
  readonly userName: string;
  /** Where to go afterwards: checked to be ours. */
  readonly next: string;
  readonly error: string | null;
  /** True where somebody was sent here from another page. */
  readonly wasSent: boolean;
}

/** The sign-in page: a form for passwords, a button for each provider. */
export function renderSignIn(frame: Frame, view: SignInView): Markup {
  const { signIn: words } = frame.texts;
  const hasPassword = view.ways.some(({ kind }) => kind === 'password');
  const providers = view.ways.filter(({ kind }) => kind === 'redirect');
  return renderDoor(frame, {
    title: words.title,
    section: null,
    hasErrors: view.error !== null,
    body: html`<h1>${words.title}</h1>
${view.wasSent && view.error === null && html`<p class="lead">${words.expired}</p>`}
<div class="card stack">
${view.error !== null && !hasPassword && html`<p class="message bad" role="alert">${view.error}</p>`}
${hasPassword && passwordForm(frame, view)}
${hasPassword && providers.length > 0 && html`<p class="soft">${words.or}</p>`}
${providers.map((way) => providerButton(frame, way, view.next, !hasPassword))}
${view.ways.length === 0 && html`<p>${words.noWays}</p>`}
</div>`,
  });
}

function passwordForm(frame: Frame, view: SignInView): Markup {
  const { signIn: words } = frame.texts;
  const errors: readonly FieldError[] =
    view.error === null ? [] : [{ field: 'password', message: view.error }];
  return html`<form method="post" action="${paths.signIn}" class="stack" novalidate>
${csrfField(frame)}<input type="hidden" name="next" value="${view.next}">
${textField({ name: 'username', label: words.userName, value: view.userName, autocomplete: 'username', isCode: true, required: true, maxLength: 256, isFirst: view.error === null })}
${textField({ name: 'password', label: words.password, value: '', type: 'password', autocomplete: 'current-password', required: true, maxLength: 1024, isFirst: view.error !== null }, errors)}
<button class="button primary wide">${words.button}</button>
</form>`;
}

function providerButton(frame: Frame, way: SignInWay, next: string, isFirst: boolean): Piece {
  if (way.source === null) return null;
  const label = way.label ?? way.source;
  return html`<form method="post" action="${paths.signInWith(way.source)}">${csrfField(frame)}<input type="hidden" name="next" value="${next}"><button class="button wide${isFirst && ' primary'}">${frame.texts.signIn.with(label)}</button></form>`;
}
