import { isRefused } from '../../../management/refused.ts';
import type { TokenManagement } from '../../../management/tokens.ts';
import type { KeptPolicy, TokenPolicy } from '../../../tokens/policy.ts';
import type { WebRouter } from '../../context.ts';
import type { Form } from '../../forms.ts';
import { describedBy, errorSummary, type FieldError, fieldError, textField, tickField } from '../fields.ts';
import { actorName } from '../event-words.ts';
import type { Frame } from '../frame.ts';
import type { Guards } from '../guards.ts';
import { csrfField, renderPage } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { dayMs } from '../moments.ts';
import { paths, withQuery } from '../paths.ts';

const daysMax = 36_500;

/** The policy as typed. */
interface PolicyDraft {
  readonly days: string;
  readonly scopes: string;
  readonly expiryRequired: boolean;
  readonly startsEnabled: boolean;
  readonly everybodyMayHaveTokens: boolean;
}

/** What everybody's tokens are held to: reading and replacing it. */
export function addPolicyRoutes(
  router: WebRouter,
  { guards, tokens }: { readonly guards: Guards; readonly tokens: TokenManagement },
): void {
  router.get(
    '/admin/policy',
    guards.page(async (c, person, frame) => {
      const kept = await tokens.readPolicy(person);
      if (isRefused(kept)) return kept;
      return c.html(renderPolicy(frame, kept, draftOf(kept.policy), [], false));
    }),
  );

  router.post(
    '/admin/policy',
    guards.change(async (c, person, form, frame) => {
      const kept = await tokens.readPolicy(person);
      if (isRefused(kept)) return kept;
      const draft = draftFrom(form);
      const policy = toPolicy(frame, draft);
      if ('field' in policy) return c.html(renderPolicy(frame, kept, draft, [policy], false), 422);
      const saved = await tokens.replacePolicy(person, policy, Number(form.text('version')));
      if (!isRefused(saved)) return c.redirect(withQuery(paths.policy, { done: 'policy-saved' }), 303);
      if (saved.code === 'stale') return c.html(renderPolicy(frame, kept, draft, [], true), 409);
      if (saved.code !== 'bad_request') return saved;
      const message = frame.texts.refusal(policy.scopes === null ? saved.code : 'bad_scope', saved.detail);
      return c.html(renderPolicy(frame, kept, draft, [{ field: 'scopes', message }], false), 422);
    }),
  );
}

function renderPolicy(
  frame: Frame,
  kept: KeptPolicy,
  draft: PolicyDraft,
  errors: readonly FieldError[],
  isStale: boolean,
): Markup {
  const { admin: words } = frame.texts;
  return renderPage(frame, {
    title: words.policyTitle,
    section: 'policy',
    hasErrors: errors.length > 0,
    body: html`<div class="narrow stack">
<h1>${words.policyTitle}</h1>
<p class="lead">${words.policyLead}</p>
${isStale && html`<p class="message warn" role="alert">${words.stale} <a href="${paths.policy}">${words.seeTheirs}</a></p>`}
<form method="post" action="${paths.policy}" class="card form" novalidate>
${errorSummary(frame, errors)}
${csrfField(frame)}<input type="hidden" name="version" value="${kept.version}">
${textField({ name: 'days', label: words.life, hint: words.lifeHint, value: draft.days, inputMode: 'numeric' }, errors)}
${tickField({ name: 'expiryRequired', label: words.expiryRequired, isTicked: draft.expiryRequired })}
<div class="field"><label for="scopes">${words.scopes}</label><p class="hint" id="scopes-hint">${words.scopesHint}</p>
<textarea id="scopes" name="scopes" rows="4" spellcheck="false" autocapitalize="none"${describedBy('scopes', true, errors)}>${draft.scopes}</textarea>${fieldError('scopes', errors)}</div>
${tickField({ name: 'startsEnabled', label: words.startsEnabled, hint: words.startsEnabledHint, isTicked: draft.startsEnabled })}
${tickField({ name: 'everybody', label: words.everybody, hint: words.everybodyHint, isTicked: draft.everybodyMayHaveTokens })}
<div class="actions"><button class="button primary">${words.save}</button></div>
</form>
${lastChange(frame, kept)}
</div>`,
  });
}

function lastChange(frame: Frame, { changedAt, changedBy }: KeptPolicy): Piece {
  if (changedAt === null || changedBy === null) return null;
  return html`<p class="soft small">${frame.texts.admin.policyChanged(actorName(frame, changedBy))}, ${frame.moments.relativeTag(changedAt, frame.now)}</p>`;
}

function draftOf(policy: TokenPolicy): PolicyDraft {
  const { lifeMsMax, scopes, expiryRequired, startsEnabled, everybodyMayHaveTokens } = policy;
  return {
    days: lifeMsMax === null ? '' : String(Math.max(1, Math.round(lifeMsMax / dayMs))),
    scopes: (scopes ?? []).join('\n'),
    ...{ expiryRequired, startsEnabled, everybodyMayHaveTokens },
  };
}

function draftFrom(form: Form): PolicyDraft {
  return {
    days: form.text('days').trim(),
    scopes: form.text('scopes').replaceAll('\r\n', '\n'),
    expiryRequired: form.has('expiryRequired'),
    startsEnabled: form.has('startsEnabled'),
    everybodyMayHaveTokens: form.has('everybody'),
  };
}

function toPolicy({ texts }: Frame, draft: PolicyDraft): TokenPolicy | FieldError {
  const { days, expiryRequired, startsEnabled, everybodyMayHaveTokens } = draft;
  const count = /^\d{1,5}$/.test(days) ? Number(days) : 0;
  if (days !== '' && (count < 1 || count > daysMax)) return { field: 'days', message: texts.admin.badDays };
  const scopes = draft.scopes
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  return {
    lifeMsMax: days === '' ? null : count * dayMs,
    scopes: scopes.length === 0 ? null : scopes,
    ...{ expiryRequired, startsEnabled, everybodyMayHaveTokens },
  };
}
