import { type Caller, manages } from '../../../management/caller.ts';
import type { PeopleManagement } from '../../../management/people.ts';
import { isRefused, notAllowed } from '../../../management/refused.ts';
import type { WebRouter } from '../../context.ts';
import { copyField } from '../copy-field.ts';
import { errorSummary, type FieldError, selectField, textField } from '../fields.ts';
import type { Frame } from '../frame.ts';
import type { Guards } from '../guards.ts';
import { csrfField, renderPage } from '../layout.ts';
import { html, type Markup } from '../markup.ts';
import { paths } from '../paths.ts';
import { userError } from './user-errors.ts';
import { ownFields, type UserDraft } from './user-page.ts';

/** A new user as typed. */
interface NewUserDraft extends Omit<UserDraft, 'mayHaveTokens'> {
  readonly name: string;
}

/** Creating a user: the answer is the link by which the person chooses a password, shown once. */
export function addNewUserRoutes(
  router: WebRouter,
  { guards, people }: { readonly guards: Guards; readonly people: PeopleManagement },
): void {
  router.get(
    '/admin/users/new',
    guards.page(async (c, person, frame) => {
      if (!maySee(person)) return notAllowed;
      return c.html(renderNewUser(frame, { name: '', displayName: '', email: '', role: 'user' }, []));
    }),
  );

  router.post(
    '/admin/users/new',
    guards.change(async (c, person, form, frame) => {
      const draft: NewUserDraft = {
        name: form.text('name').trim(),
        displayName: form.text('displayName').trim(),
        email: form.text('email').trim(),
        role: form.text('role') === 'admin' ? 'admin' : 'user',
      };
      const { name, displayName, email, role } = draft;
      const made = await people.create(person, {
        ...{ name, role, password: null },
        displayName: displayName === '' ? null : displayName,
        email: email === '' ? null : email,
      });
      if (!isRefused(made)) {
        const { user, passwordLink } = made;
        return c.html(renderPasswordLink(frame, user.name, paths.user(user.id), passwordLink ?? ''), 201);
      }
      const error = userError(frame, made);
      return error === null ? made : c.html(renderNewUser(frame, draft, [error]), 422);
    }),
  );
}

/** The one time that a password link is shown. */
export function renderPasswordLink(frame: Frame, name: string, back: string, secret: string): Markup {
  const { users: words, once } = frame.texts;
  const link = `${frame.origin}/.latchkey/password/${secret}`;
  return renderPage(frame, {
    title: words.linkTitle,
    section: 'users',
    body: html`<div class="narrow stack" data-settle="${back}">
<h1>${words.linkTitle}</h1>
<section class="card once stack">
<p>${words.linkText(name)}</p>
${copyField(frame, { id: 'link', label: words.linkLabel, value: link, isSecret: true })}
<div class="actions"><a class="button" href="${back}">${once.done}</a></div>
</section>
</div>`,
  });
}

function renderNewUser(frame: Frame, draft: NewUserDraft, errors: readonly FieldError[]): Markup {
  const { users: words, tokenForm } = frame.texts;
  return renderPage(frame, {
    title: words.newTitle,
    section: 'users',
    hasErrors: errors.length > 0,
    body: html`<div class="narrow stack">
<p class="trail"><a href="${paths.users}">${words.title}</a></p>
<h1>${words.newTitle}</h1>
<p class="lead">${words.newLead}</p>
<form method="post" action="${paths.newUser}" class="card form" novalidate>
${errorSummary(frame, errors)}
${csrfField(frame)}
${textField({ name: 'name', label: words.name, hint: words.nameHint, value: draft.name, isCode: true, required: true, maxLength: 128 }, errors)}
${ownFields(frame, draft, errors)}
${selectField({
  name: 'role',
  label: words.role,
  value: draft.role,
  options: [
    ['user', words.roles.user],
    ['admin', words.roles.admin],
  ],
})}
<div class="actions"><button class="button primary">${words.create}</button><a class="button" href="${paths.users}">${tokenForm.cancel}</a></div>
</form>
</div>`,
  });
}

function maySee(caller: Caller): boolean {
  return manages(caller, 'users');
}
