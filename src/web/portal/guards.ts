import type { Person } from '../../management/caller.ts';
import type { Refused } from '../../management/refused.ts';
import type { SignIn, SignInRefusal } from '../../management/sign-in.ts';
import type { WebContext } from '../context.ts';
import { type Form, readForm } from '../forms.ts';
import type { SealedCookie } from '../sealed-cookie.ts';
import { type CarriedFields, confirmationFields, renderConfirm } from './confirm-page.ts';
import { renderError } from './error-page.ts';
import type { Frame, Framing } from './frame.ts';
import { paths, withQuery } from './paths.ts';
import { pendingText } from './pending.ts';

/** A page, or the reason why there is none. */
export type Answer = Response | Refused;

/** Shows something to a person. */
export type PageHandler = (c: WebContext, person: Person, frame: Frame) => Promise<Answer>;

/** Changes something for a person. */
export type ChangeHandler = (c: WebContext, person: Person, form: Form, frame: Frame) => Promise<Answer>;

/** Wraps handlers in what all of them need. */
export interface Guards {
  /** Only for those signed in: others go to the sign-in page and come back. */
  page(handler: PageHandler): (c: WebContext) => Promise<Response>;
  /** The same for forms; where a confirmation is needed it asks for one, carrying along what was sent. */
  change(handler: ChangeHandler): (c: WebContext) => Promise<Response>;
}

/** What the guards work with. */
export interface GuardDeps {
  readonly framing: Framing;
  readonly signIn: Pick<SignIn, 'ways' | 'confirm' | 'begin' | 'keepDraft'>;
  readonly pending: SealedCookie;
}

/** A form that waits at the session while the provider confirms. */
export interface Draft {
  readonly action: string;
  readonly fields: CarriedFields;
}

/** See `Guards`. */
export function createGuards(deps: GuardDeps): Guards {
  const { framing, signIn } = deps;

  async function confirmed(c: WebContext, person: Person, form: Form): Promise<Person | Response> {
    if (form.text('draft') === 'done') await signIn.keepDraft(person, null);
    if (form.has('confirm_provider')) return toProvider(c, person, form);
    if (!form.has('confirm_password')) return person;
    const answer = await signIn.confirm(person, form.text('confirm_password'));
    return 'code' in answer ? askAgain(c, person, form, answer) : answer;
  }

  async function toProvider(c: WebContext, person: Person, form: Form): Promise<Person | Response> {
    const { source } = person.session;
    const frame = framing(c);
    const draft: Draft = { action: ownAction(c), fields: carriedFields(form) };
    if (!(await signIn.keepDraft(person, JSON.stringify(draft)))) {
      return ask(c, person, form, frame.texts.confirm.tooLong);
    }
    const started = await signIn.begin(source, frame.origin + paths.callback(source), true);
    if (started === null) return ask(c, person, form, frame.texts.signIn.providerRefused);
    deps.pending.set(
      c,
      pendingText({ source, pending: started.pending, next: paths.resume, isConfirming: true }),
    );
    return c.redirect(started.url, 303);
  }

  async function askAgain(
    c: WebContext,
    person: Person,
    form: Form,
    refusal: SignInRefusal,
  ): Promise<Response> {
    const { texts, moments } = framing(c);
    const isThrottled = refusal.code === 'throttled';
    const error = isThrottled
      ? texts.signIn.throttled(moments.span(refusal.retryAfterMs))
      : texts.confirm.wrong;
    return ask(c, person, form, error, isThrottled ? 429 : 422);
  }

  async function ask(
    c: WebContext,
    person: Person,
    form: Form,
    error: string | null,
    status: 200 | 422 | 429 = 200,
  ): Promise<Response> {
    const way = signIn.ways().find(({ source }) => source === person.session.source);
    const provider = way?.kind === 'redirect' ? (way.label ?? way.source) : null;
    const view = { action: ownAction(c), fields: carriedFields(form), provider, error };
    return c.html(renderConfirm(framing(c), view), status);
  }

  return {
    page: (handler) => async (c) => {
      const person = c.get('person');
      if (person === null) return toSignIn(c);
      const frame = framing(c);
      const answer = await handler(c, person, frame);
      return answer instanceof Response ? answer : refusalPage(c, frame, answer);
    },
    change: (handler) => async (c) => {
      const signedIn = c.get('person');
      if (signedIn === null) return toSignIn(c);
      const form = await readForm(c);
      const person = await confirmed(c, signedIn, form);
      if (person instanceof Response) return person;
      const frame = framing(c);
      const answer = await handler(c, person, form, frame);
      if (answer instanceof Response) return answer;
      if (answer.code === 'confirmation_needed') return ask(c, person, form, null);
      return refusalPage(c, frame, answer);
    },
  };
}

/** The page for a no that no form could show beside a field. */
export async function refusalPage(c: WebContext, frame: Frame, refusal: Refused): Promise<Response> {
  const { errors } = frame.texts;
  switch (refusal.code) {
    case 'not_found':
    case 'no_token':
    case 'no_user':
      return c.html(
        renderError(frame, { title: errors.notFound, text: errors.notFoundText, isOurs: false }),
        404,
      );
    case 'not_allowed':
      return c.html(
        renderError(frame, { title: errors.notAllowed, text: errors.notAllowedText, isOurs: false }),
        403,
      );
    default: {
      const text = frame.texts.refusal(refusal.code, refusal.detail);
      return c.html(renderError(frame, { title: errors.notUnderstood, text, isOurs: false }), 409);
    }
  }
}

/** To the sign-in page, and back here afterwards where here can be shown again. */
export function toSignIn(c: WebContext): Response {
  const { pathname, search } = new URL(c.req.url);
  const next = c.req.method === 'GET' && pathname !== paths.tokens ? pathname + search : null;
  return c.redirect(withQuery(paths.signIn, { next }), 303);
}

function carriedFields(form: Form): CarriedFields {
  return form.fields.filter(([name]) => !confirmationFields.has(name));
}

function ownAction(c: WebContext): string {
  const { pathname, search } = new URL(c.req.url);
  return pathname + search;
}
