import type { Clock } from '../../../core/clock.ts';
import { Fault } from '../../../core/errors.ts';
import type { SignedIn, SignIn, SignInRefusal } from '../../../management/sign-in.ts';
import type { WebContext, WebRouter } from '../../context.ts';
import { readForm } from '../../forms.ts';
import type { SealedCookie } from '../../sealed-cookie.ts';
import { clearSessionCookie, readSessionSecret, setSessionCookie } from '../../session-cookie.ts';
import type { Frame, Framing } from '../frame.ts';
import { ownAddress, paths, withQuery } from '../paths.ts';
import { pendingText, readPending } from '../pending.ts';
import { renderSignIn } from './sign-in-page.ts';

/** What signing in and out works with. */
export interface SignInRoutesDeps {
  readonly framing: Framing;
  readonly signIn: SignIn;
  readonly pending: SealedCookie;
  readonly clock: Clock;
}

/** Signing in with a password or at a provider, coming back from there, signing out. */
export function addSignInRoutes(router: WebRouter, deps: SignInRoutesDeps): void {
  const { framing, signIn, pending, clock } = deps;

  async function show(
    c: WebContext,
    userName: string,
    next: string,
    error: string | null,
    status: 200 | 401 | 429 | 503,
  ) {
    const wasSent = c.req.query('next') !== undefined;
    const view = { ways: signIn.ways(), userName, next, error, wasSent };
    return c.html(renderSignIn(framing(c), view), status);
  }

  function letIn(c: WebContext, answer: SignedIn, next: string): Response {
    setSessionCookie(c, answer.secret, answer.endsAt, clock.now());
    return c.redirect(next, 303);
  }

  router.get('/sign-in', async (c) => {
    const next = ownAddress(c.req.query('next') ?? '');
    if (c.get('person') !== null) return c.redirect(next, 303);
    return show(c, '', next, null, 200);
  });

  router.post('/sign-in', async (c) => {
    const form = await readForm(c);
    const [userName, next] = [form.text('username').trim(), ownAddress(form.text('next'))];
    const frame = framing(c);
    try {
      const answer = await signIn.withPassword(
        c.get('visit'),
        userName,
        form.text('password'),
        readSessionSecret(c),
      );
      if (answer.kind === 'signed_in') return letIn(c, answer, next);
      if (answer.code === 'throttled')
        c.header('Retry-After', String(Math.ceil(answer.retryAfterMs / 1_000)));
      return await show(
        c,
        userName,
        next,
        refusalText(frame, answer),
        answer.code === 'throttled' ? 429 : 401,
      );
    } catch (error) {
      if (!isPassing(error)) throw error;
      return show(c, userName, next, frame.texts.signIn.unavailable, 503);
    }
  });

  router.post('/sign-in/:source', async (c) => {
    const [form, source] = [await readForm(c), c.req.param('source')];
    const next = ownAddress(form.text('next'));
    const frame = framing(c);
    try {
      const started = await signIn.begin(source, frame.origin + paths.callback(source), false);
      if (started === null) return await c.notFound();
      pending.set(c, pendingText({ source, pending: started.pending, next, isConfirming: false }));
      return c.redirect(started.url, 303);
    } catch (error) {
      if (!isPassing(error)) throw error;
      return show(c, '', next, frame.texts.signIn.unavailable, 503);
    }
  });

  router.get('/sign-in/:source/callback', async (c) => {
    const frame = framing(c);
    const kept = pending.take(c);
    const under = kept === null ? null : readPending(kept);
    if (under === null || under.source !== c.req.param('source')) {
      return show(c, '', paths.tokens, frame.texts.signIn.providerRefused, 401);
    }
    const { pathname, search } = new URL(c.req.url);
    const confirming = under.isConfirming ? c.get('person') : null;
    if (under.isConfirming && confirming === null) return c.redirect(paths.signIn, 303);
    try {
      const answer = await signIn.finish(
        c.get('visit'),
        under.source,
        frame.origin + pathname + search,
        under.pending,
        {
          secret: readSessionSecret(c),
          confirming,
        },
      );
      if (answer.kind === 'signed_in') return letIn(c, answer, under.next);
      return await show(c, '', under.next, providerText(frame, answer), 401);
    } catch (error) {
      if (!isPassing(error)) throw error;
      return show(c, '', under.next, frame.texts.signIn.unavailable, 503);
    }
  });

  router.post('/sign-out', async (c) => {
    const person = c.get('person');
    const here = withQuery(paths.signIn, { done: 'signed-out' });
    const elsewhere = person === null ? null : await signIn.signOut(person, framing(c).origin + here);
    clearSessionCookie(c);
    return c.redirect(elsewhere ?? here, 303);
  });
}

function refusalText({ texts, moments }: Frame, refusal: SignInRefusal): string {
  return refusal.code === 'throttled'
    ? texts.signIn.throttled(moments.span(refusal.retryAfterMs))
    : texts.signIn.refused;
}

function providerText(frame: Frame, refusal: SignInRefusal): string {
  return refusal.code === 'throttled' ? refusalText(frame, refusal) : frame.texts.signIn.providerRefused;
}

/** Busy, or a source that cannot be asked: the form can be sent again. */
function isPassing(error: unknown): boolean {
  return error instanceof Fault && (error.code === 'sign_in_unavailable' || error.code === 'overloaded');
}
