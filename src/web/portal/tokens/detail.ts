import type { TokenId } from '../../../core/ids.ts';
import type { AuditReading } from '../../../management/audit.ts';
import type { Person } from '../../../management/caller.ts';
import { isRefused } from '../../../management/refused.ts';
import type { ShownToken, TokenManagement } from '../../../management/tokens.ts';
import type { TokenSettings } from '../../../tokens/token-settings.ts';
import type { WebContext, WebRouter } from '../../context.ts';
import type { FieldError } from '../fields.ts';
import type { Frame } from '../frame.ts';
import type { Guards } from '../guards.ts';
import { paths, withQuery } from '../paths.ts';
import { renderToken } from './detail-page.ts';
import { draftFrom, draftOf, scopeText, type TokenDraft } from './draft.ts';
import type { FolderPages } from './folders.ts';
import { readStep, withTypedFolder } from './form-steps.ts';
import { refusalError, settleDraft } from './settle-draft.ts';

const eventsShown = 10;

/** What the page about one token works with. */
export interface TokenPageDeps {
  readonly guards: Guards;
  readonly tokens: TokenManagement;
  readonly audit: AuditReading;
  readonly folders: FolderPages;
}

/** What a page with a form that came back shows beside the token. */
interface Shown {
  readonly draft: TokenDraft;
  readonly errors: readonly FieldError[];
  readonly isStale?: boolean;
}

/** The page about one token, and its settings. */
export function addTokenPageRoutes(router: WebRouter, deps: TokenPageDeps): void {
  const { guards, tokens, audit } = deps;

  async function show(
    c: WebContext,
    person: Person,
    frame: Frame,
    token: ShownToken,
    { draft, errors, isStale = false }: Shown,
  ): Promise<Response> {
    const { policy } = await tokens.policyFor(person);
    const trail = await audit.list(person, { tokenId: token.id, limit: eventsShown });
    const [action, version] = [paths.token(token.id), token.version];
    const isOwn = token.userId === person.user.id;
    const cancel = isOwn ? paths.tokens : paths.allTokens;
    const submit = frame.texts.tokenForm.save;
    const form = { draft, policy, errors, current: token, action, cancel, submit, version };
    const events = isRefused(trail) ? [] : trail.items;
    const view = { token, isOwn, events, isStale, form: token.revokedAt === null ? form : null };
    return c.html(renderToken(frame, view), errors.length > 0 ? 422 : isStale ? 409 : 200);
  }

  router.get(
    '/tokens/:id',
    guards.page(async (c, person, frame) => {
      const token = await tokens.get(person, c.req.param('id') as TokenId);
      if (isRefused(token)) return token;
      return show(c, person, frame, token, { draft: draftOf(token), errors: [] });
    }),
  );

  router.post(
    '/tokens/:id',
    guards.change(async (c, person, form, frame) => {
      const token = await tokens.get(person, c.req.param('id') as TokenId);
      if (isRefused(token)) return token;
      const draft = draftFrom(form);
      const step = readStep(frame, form.text('step'), draft);
      if (step.kind === 'browse') return deps.folders.show(c, person, frame, form, step.path);
      if (step.kind === 'form') return show(c, person, frame, token, step);
      const typed = withTypedFolder(frame, draft);
      const whole = typed.kind === 'form' ? typed : { draft, errors: [] };
      if (whole.errors.length > 0) return show(c, person, frame, token, whole);
      const { policy } = await tokens.policyFor(person);
      const { settings, errors } = settleDraft(frame, whole.draft, policy);
      if (settings === null) return show(c, person, frame, token, { draft: whole.draft, errors });
      const changed = onlyChanged(settings, whole.draft, draftOf(token));
      const saved = await tokens.edit(person, token.id, changed, Number(form.text('version')));
      if (!isRefused(saved)) return c.redirect(withQuery(paths.token(token.id), { done: 'saved' }), 303);
      if (saved.code === 'stale') {
        return show(c, person, frame, token, { draft: draftOf(token), errors: [], isStale: true });
      }
      const error = refusalError(frame, saved);
      return error === null ? saved : show(c, person, frame, token, { draft: whole.draft, errors: [error] });
    }),
  );
}

/**
 * Leaves out what the form shows as it was: the form knows days only, and under a policy "everything" means less than
 * it did for an older token.
 */
function onlyChanged(settings: TokenSettings, draft: TokenDraft, before: TokenDraft): TokenSettings {
  const { scopes, notBefore, deleteUnusedMs, networks, ...rest } = settings;
  const reach = ({ access, scopes: chosen }: TokenDraft): string =>
    [access, ...(access === 'folders' ? chosen.map(scopeText) : [])].join('\n');
  return {
    ...rest,
    ...(reach(draft) === reach(before) || scopes === undefined ? {} : { scopes }),
    ...(draft.notBefore === before.notBefore ? {} : { notBefore: notBefore ?? null }),
    ...(draft.deleteUnusedDays === before.deleteUnusedDays ? {} : { deleteUnusedMs: deleteUnusedMs ?? null }),
    ...(draft.networks === before.networks || networks === undefined ? {} : { networks }),
  };
}
