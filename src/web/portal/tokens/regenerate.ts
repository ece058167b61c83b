import type { TokenId } from '../../../core/ids.ts';
import type { Person } from '../../../management/caller.ts';
import { isRefused, type Refused } from '../../../management/refused.ts';
import type { FreshToken, ShownToken, TokenManagement } from '../../../management/tokens.ts';
import type { TokenPolicy } from '../../../tokens/policy.ts';
import type { TokenSettings } from '../../../tokens/token-settings.ts';
import type { WebContext, WebRouter } from '../../context.ts';
import { errorSummary, type FieldError } from '../fields.ts';
import type { Frame } from '../frame.ts';
import type { Guards } from '../guards.ts';
import { csrfField, renderPage } from '../layout.ts';
import { html, type Markup } from '../markup.ts';
import { paths } from '../paths.ts';
import { lastUse } from '../token-words.ts';
import { draftFrom, draftOf, type ExpiryDraft } from './draft.ts';
import { expiryPart } from './form-parts.ts';
import { renderOnce } from './once-page.ts';
import { type KnownRoute, serverAddresses } from './server-addresses.ts';
import { refusalError, settleLifetime } from './settle-draft.ts';

/** What renewing works with. */
export interface RegenerateDeps {
  readonly guards: Guards;
  readonly tokens: TokenManagement;
  readonly routes: readonly KnownRoute[];
}

/** A new value for a token; where it has ended, with a new end. */
export function addRegenerateRoutes(router: WebRouter, { guards, tokens, routes }: RegenerateDeps): void {
  async function show(
    c: WebContext,
    person: Person,
    frame: Frame,
    token: ShownToken,
    draft: ExpiryDraft,
    errors: readonly FieldError[],
  ): Promise<Response> {
    const { policy } = await tokens.policyFor(person);
    return c.html(renderRegenerate(frame, { token, policy, draft, errors }), errors.length > 0 ? 422 : 200);
  }

  router.get(
    '/tokens/:id/regenerate',
    guards.page(async (c, person, frame) => {
      const token = await tokens.get(person, c.req.param('id') as TokenId);
      if (isRefused(token)) return token;
      return show(c, person, frame, token, firstDraft(frame, token), []);
    }),
  );

  router.post(
    '/tokens/:id/regenerate',
    guards.change(async (c, person, form, frame) => {
      const token = await tokens.get(person, c.req.param('id') as TokenId);
      if (isRefused(token)) return token;
      const draft = draftFrom(form);
      const { policy } = await tokens.policyFor(person);
      const lifetime = settleLifetime(frame, draft, policy);
      if ('field' in lifetime) return show(c, person, frame, token, draft, [lifetime]);
      const fresh = await renew(person, token, lifetime);
      if (!isRefused(fresh)) {
        const addresses = serverAddresses(routes, token.scopes, frame.origin, token.ownerName);
        const done = paths.token(token.id);
        return c.html(renderOnce(frame, { fresh, addresses, isRenewed: true, done }));
      }
      const error = refusalError(frame, fresh);
      return error === null
        ? fresh
        : show(c, person, frame, token, draft, [{ ...error, field: 'expiry-date' }]);
    }),
  );

  /** The absolute end of a sliding token is moved first: a new value takes an end of the fixed kind alone. */
  async function renew(
    person: Person,
    token: ShownToken,
    { expiresAt }: TokenSettings,
  ): Promise<FreshToken | Refused> {
    if (expiresAt === undefined) return tokens.regenerate(person, token.id);
    if (token.slidingMs === null) return tokens.regenerate(person, token.id, expiresAt);
    const moved = await tokens.edit(person, token.id, { slidingMs: token.slidingMs, until: expiresAt });
    return isRefused(moved) ? moved : tokens.regenerate(person, token.id);
  }
}

interface RegenerateView {
  readonly token: ShownToken;
  readonly policy: TokenPolicy;
  readonly draft: ExpiryDraft;
  readonly errors: readonly FieldError[];
}

function renderRegenerate(frame: Frame, view: RegenerateView): Markup {
  const { question: words, token: tokenWords } = frame.texts;
  const { token, errors } = view;
  const title = words.regenerateTitle(token.name);
  const isEnded = hasEnded(frame, token);
  return renderPage(frame, {
    title,
    section: 'tokens',
    hasErrors: errors.length > 0,
    body: html`<div class="narrow stack">
<p class="trail"><a href="${paths.token(token.id)}">${token.name}</a></p>
<h1>${title}</h1>
<p class="lead">${words.regenerateText}</p>
<p>${words.lastUse} ${lastUse(frame, token)}</p>
${isEnded && html`<p class="message warn">${words.regenerateEnded}</p>`}
${isOver(frame, token) ? html`<p class="message warn">${words.regenerateUnused}</p>` : renewForm(frame, view)}
<p class="hint"><a href="${paths.copyToken(token.id)}">${tokenWords.copy}</a></p>
</div>`,
  });
}

function renewForm(frame: Frame, view: RegenerateView): Markup {
  const { question: words, tokenForm } = frame.texts;
  const { token, errors } = view;
  const parts = { ...view, current: hasEnded(frame, token) ? null : token, maySlide: false };
  return html`<form method="post" action="${paths.regenerate(token.id)}" class="card form" novalidate>
${errorSummary(frame, errors)}
${csrfField(frame)}
${expiryPart(frame, parts)}
<div class="actions"><button class="button primary">${words.regenerateYes}</button><a class="button" href="${paths.token(token.id)}">${tokenForm.cancel}</a></div>
</form>`;
}

/** Ended for want of use: that ends a token for good. */
function isOver(frame: Frame, token: ShownToken): boolean {
  return token.state === 'expired' && token.deleteUnusedMs !== null && !hasEnded(frame, token);
}

/** An end that moves with use begins anew with the new value; one that is fixed has to be chosen anew. */
function hasEnded({ now }: Frame, { slidingMs, until, expiresAt }: ShownToken): boolean {
  const end = slidingMs === null ? expiresAt : until;
  return end !== null && end <= now;
}

function firstDraft(frame: Frame, token: ShownToken): ExpiryDraft {
  const { date, slidingDays } = draftOf(token);
  const isEnded = hasEnded(frame, token);
  return { expiry: isEnded ? '90' : 'keep', date: isEnded ? '' : date, slidingDays };
}
