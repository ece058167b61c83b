import type { TokenId } from '../../../core/ids.ts';
import type { Person } from '../../../management/caller.ts';
import { isRefused } from '../../../management/refused.ts';
import type { ShownToken, TokenManagement } from '../../../management/tokens.ts';
import type { WebRouter } from '../../context.ts';
import type { Frame, Framing } from '../frame.ts';
import type { Guards } from '../guards.ts';
import { html, type Markup } from '../markup.ts';
import { ownAddress, paths, withQuery } from '../paths.ts';
import { renderQuestion } from '../question-page.ts';
import { lastUse } from '../token-words.ts';
import { connectedText } from './first-use.ts';

/** At most so many are named in the question; the management takes as many at once. */
const severalMax = 1_000;

/** What these changes work with. */
export interface TokenChangesDeps {
  readonly guards: Guards;
  readonly framing: Framing;
  readonly tokens: TokenManagement;
}

/** On and off, revoking one or several, and whether a token has been used yet. */
export function addTokenChangeRoutes(router: WebRouter, { guards, framing, tokens }: TokenChangesDeps): void {
  router.post(
    '/tokens/:id/switch',
    guards.change(async (c, person, form) => {
      const enabled = form.text('enabled') === 'yes';
      const switched = await tokens.setEnabled(person, c.req.param('id') as TokenId, enabled);
      if (isRefused(switched)) return switched;
      const done = enabled ? 'switched-on' : 'switched-off';
      return c.redirect(withQuery(ownAddress(form.text('next')), { done }), 303);
    }),
  );

  router.get(
    '/tokens/:id/revoke',
    guards.page(async (c, person, frame) => {
      const token = await tokens.get(person, c.req.param('id') as TokenId);
      if (isRefused(token)) return token;
      const isOwn = token.userId === person.user.id;
      const asked = c.req.query('next');
      const next = asked === undefined ? listFor(token, person) : ownAddress(asked);
      const { question: words } = frame.texts;
      return c.html(
        renderQuestion(frame, {
          title: words.revokeTitle(token.name),
          section: isOwn ? 'tokens' : 'allTokens',
          text: html`<p>${isOwn ? words.revokeText : words.revokeOthersText(token.ownerName)}</p><p>${words.lastUse} ${lastUse(frame, token)}</p>`,
          action: paths.revoke(token.id),
          fields: [['next', next]],
          yes: words.revokeYes,
          no: asked === undefined ? paths.token(token.id) : next,
        }),
      );
    }),
  );

  router.post(
    '/tokens/:id/revoke',
    guards.change(async (c, person, form) => {
      const revoked = await tokens.revoke(person, c.req.param('id') as TokenId);
      if (isRefused(revoked)) return revoked;
      return c.redirect(withQuery(ownAddress(form.text('next')), { done: 'revoked' }), 303);
    }),
  );

  router.post(
    '/tokens/revoke',
    guards.change(async (c, person, form, frame) => {
      const ids = [...new Set(form.all('id') as readonly TokenId[])].slice(0, severalMax);
      const next = ownAddress(form.text('next'));
      if (ids.length === 0) return c.html(renderNone(frame, next), 422);
      if (form.text('sure') !== 'yes') {
        const chosen: ShownToken[] = [];
        for (const id of ids) {
          const token = await tokens.get(person, id);
          if (isRefused(token)) return token;
          chosen.push(token);
        }
        return c.html(renderSeveral(frame, chosen, next));
      }
      const revoked = await tokens.revokeMany(person, ids);
      if (isRefused(revoked)) return revoked;
      return c.redirect(withQuery(next, { done: 'revoked-several' }), 303);
    }),
  );

  router.get('/tokens/:id/first-use', async (c) => {
    const person = c.get('person');
    if (person === null) return c.json({ text: null }, 401);
    const token = await tokens.get(person, c.req.param('id') as TokenId);
    if (isRefused(token) || token.revokedAt !== null) return c.json({ text: null }, 404);
    const since = Number(c.req.query('since') ?? '0');
    const isUsed = token.lastUsedAt !== null && token.lastUsedAt >= since;
    return c.json({ text: isUsed ? connectedText(framing(c), token) : null });
  });
}

function renderSeveral(frame: Frame, tokens: readonly ShownToken[], next: string): Markup {
  const { question: words } = frame.texts;
  return renderQuestion(frame, {
    title: words.revokeSeveralTitle(tokens.length),
    section: 'tokens',
    text: html`<ul class="history">${tokens.map(
      (token) =>
        html`<li><strong>${token.name}</strong> <code>${token.prefix}…</code><span class="sub">${words.lastUse} ${lastUse(frame, token)}</span></li>`,
    )}</ul><p>${words.revokeSeveralText}</p>`,
    action: paths.revokeSeveral,
    fields: [['next', next], ['sure', 'yes'], ...tokens.map(({ id }) => ['id', id] as const)],
    yes: words.revokeSeveralYes(tokens.length),
    no: next,
  });
}

function renderNone(frame: Frame, next: string): Markup {
  const { question: words } = frame.texts;
  return renderQuestion(frame, {
    title: words.noneTitle,
    section: 'tokens',
    text: html`<p>${words.noneSelected}</p>`,
    action: paths.revokeSeveral,
    fields: [['next', next]],
    yes: null,
    no: next,
  });
}

function listFor(token: ShownToken, person: Person): string {
  return token.userId === person.user.id ? paths.tokens : paths.user(token.userId);
}
