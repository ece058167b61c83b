import type { Clock } from '../../../core/clock.ts';
import type { SignIn } from '../../../management/sign-in.ts';
import type { WebContext, WebRouter } from '../../context.ts';
import { readForm } from '../../forms.ts';
import { readSessionSecret, setSessionCookie } from '../../session-cookie.ts';
import { renderError } from '../error-page.ts';
import { errorSummary, type FieldError, textField } from '../fields.ts';
import type { Frame, Framing } from '../frame.ts';
import { csrfField, renderDoor } from '../layout.ts';
import { html, type Markup } from '../markup.ts';
import { paths } from '../paths.ts';
import { newPasswordErrors, newPasswordFields } from './password-fields.ts';

/** What one-time links work with. */
export interface LinkDeps {
  readonly framing: Framing;
  readonly signIn: SignIn;
  readonly clock: Clock;
}

type Purpose = 'first-admin' | 'set-password';

/** The first administrator, and choosing a password: each by a link that works once. Looking at one uses nothing up. */
export function addLinkRoutes(router: WebRouter, { framing, signIn, clock }: LinkDeps): void {
  const places = [
    ['/welcome/:secret', 'first-admin'],
    ['/password/:secret', 'set-password'],
  ] as const;
  for (const [place, purpose] of places) {
    router.get(place, async (c) => {
      const link = await signIn.readLink(c.req.param('secret'));
      if (link?.purpose !== purpose) return usedUp(c);
      return c.html(renderLink(framing(c), { ...link, action: c.req.path, typed: '', errors: [] }));
    });

    router.post(place, async (c) => {
      const secret = c.req.param('secret');
      const link = await signIn.readLink(secret);
      if (link?.purpose !== purpose) return usedUp(c);
      const [form, frame] = [await readForm(c), framing(c)];
      const typed = form.text('username').trim();
      const again = (errors: readonly FieldError[]) =>
        c.html(renderLink(frame, { ...link, action: c.req.path, typed, errors }), 422);
      const errors = newPasswordErrors(frame, form);
      if (errors.length > 0) return again(errors);
      const name = purpose === 'first-admin' ? typed : null;
      const current = readSessionSecret(c);
      const answer = await signIn.useLink(c.get('visit'), secret, name, form.text('next'), current);
      if (answer.kind === 'signed_in') {
        setSessionCookie(c, answer.secret, answer.endsAt, clock.now());
        return c.redirect(paths.tokens, 303);
      }
      if (answer.code === 'link_used') return usedUp(c);
      const field = purpose === 'first-admin' && isAboutName(answer.detail) ? 'username' : 'next';
      return again([{ field, message: frame.texts.refusal(answer.code, answer.detail) }]);
    });
  }

  async function usedUp(c: WebContext): Promise<Response> {
    const frame = framing(c);
    const { link: words } = frame.texts;
    const text = c.req.path.includes('/welcome/') ? words.usedWelcome : words.used;
    return c.html(renderError(frame, { title: words.usedTitle, text, isOurs: false }), 404);
  }
}

interface LinkView {
  readonly purpose: Purpose;
  readonly userName: string | null;
  readonly action: string;
  readonly typed: string;
  readonly errors: readonly FieldError[];
}

function renderLink(frame: Frame, { purpose, userName, action, typed, errors }: LinkView): Markup {
  const { link: words } = frame.texts;
  const isFirst = purpose === 'first-admin';
  const title = isFirst ? words.welcomeTitle : words.passwordTitle;
  const name = isFirst
    ? textField(
        {
          name: 'username',
          label: words.userName,
          hint: words.userNameHint,
          value: typed,
          autocomplete: 'username',
          isCode: true,
          required: true,
          maxLength: 256,
        },
        errors,
      )
    : html`<input type="text" name="username" value="${userName ?? ''}" autocomplete="username" hidden readonly>`;
  return renderDoor(frame, {
    title,
    section: null,
    hasErrors: errors.length > 0,
    body: html`<h1>${title}</h1>
<p class="lead">${isFirst ? words.welcomeLead : words.passwordLead(userName ?? '')}</p>
<form method="post" action="${action}" class="card form" novalidate>
${errorSummary(frame, errors)}
${csrfField(frame)}
${name}
${newPasswordFields(frame, errors)}
<button class="button primary wide">${isFirst ? words.welcomeButton : words.passwordButton}</button>
</form>`,
  });
}

function isAboutName(detail: string): boolean {
  return !/password/i.test(detail);
}
