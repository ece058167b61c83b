import type { Person } from '../../../management/caller.ts';
import type { PeopleManagement } from '../../../management/people.ts';
import { isRefused } from '../../../management/refused.ts';
import type { SignIn, SignInRefusal } from '../../../management/sign-in.ts';
import type { WebRouter } from '../../context.ts';
import { keepLanguage } from '../../cookies.ts';
import type { Form } from '../../forms.ts';
import type { FieldError } from '../fields.ts';
import type { Frame } from '../frame.ts';
import type { Guards } from '../guards.ts';
import { paths, withQuery } from '../paths.ts';
import { renderAccount } from './account-page.ts';
import { newPasswordErrors } from './password-fields.ts';

/** What the account page works with. */
export interface AccountDeps {
  readonly guards: Guards;
  readonly people: PeopleManagement;
  readonly signIn: Pick<SignIn, 'confirm'>;
}

/** The account page: own password, language. */
export function addAccountRoutes(router: WebRouter, { guards, people, signIn }: AccountDeps): void {
  router.get(
    '/account',
    guards.page(async (c, person, frame) => c.html(renderAccount(frame, person, []))),
  );

  router.post(
    '/account/password',
    guards.change(async (c, person, form, frame) => {
      const errors = newPasswordErrors(frame, form);
      const error = errors[0] ?? (await change(person, form, frame));
      if (error === null) return c.redirect(withQuery(paths.account, { done: 'password-changed' }), 303);
      return c.html(renderAccount(frame, person, [error]), 422);
    }),
  );

  /** The current password is the confirmation: it is checked here, so that a wrong one is told beside its field. */
  async function change(person: Person, form: Form, frame: Frame): Promise<FieldError | null> {
    const current = form.text('current');
    const confirmed = await signIn.confirm(person, current);
    if ('code' in confirmed) return { field: 'current', message: wrongText(frame, confirmed) };
    const changed = await people.changeOwnPassword(confirmed, current, form.text('next'));
    if (!isRefused(changed)) return null;
    const field = changed.code === 'wrong_password' || changed.code === 'throttled' ? 'current' : 'next';
    return { field, message: frame.texts.refusal(changed.code, changed.detail) };
  }

  router.post(
    '/account/language',
    guards.change(async (c, person, form) => {
      const language = form.text('language') === 'de' ? 'de' : 'en';
      const kept = await people.setOwnLanguage(person, language);
      if (isRefused(kept)) return kept;
      keepLanguage(c, language);
      return c.redirect(withQuery(paths.account, { done: 'language-changed' }), 303);
    }),
  );
}

function wrongText({ texts, moments }: Frame, refusal: SignInRefusal): string {
  if (refusal.code === 'throttled') return texts.signIn.throttled(moments.span(refusal.retryAfterMs));
  return texts.account.wrongCurrent;
}
