import type { TokenId, UserId } from '../../../core/ids.ts';
import type { Person } from '../../../management/caller.ts';
import type { PeopleManagement } from '../../../management/people.ts';
import { isRefused, type Refused } from '../../../management/refused.ts';
import type { FreshToken, ShownToken, TokenManagement } from '../../../management/tokens.ts';
import type { TokenPolicy } from '../../../tokens/policy.ts';
import type { TokenSettings } from '../../../tokens/token-settings.ts';
import type { WebContext, WebRouter } from '../../context.ts';
import type { FieldError } from '../fields.ts';
import type { Frame } from '../frame.ts';
import type { Answer, Guards } from '../guards.ts';
import { paths, withQuery } from '../paths.ts';
import { draftFrom, draftOf, emptyDraft, type TokenDraft } from './draft.ts';
import { type FolderPages } from './folders.ts';
import { renderNewToken } from './form-page.ts';
import { readStep, withTypedFolder } from './form-steps.ts';
import { renderOnce } from './once-page.ts';
import { type KnownRoute, serverAddresses } from './server-addresses.ts';
import { refusalError, settleDraft } from './settle-draft.ts';

/** What the page "New token" works with. */
export interface NewTokenDeps {
  readonly guards: Guards;
  readonly tokens: TokenManagement;
  readonly people: Pick<PeopleManagement, 'get'>;
  readonly folders: FolderPages;
  readonly routes: readonly KnownRoute[];
}

/** Whose token it becomes, and whose settings it starts from. */
interface Subject {
  readonly ownerId: UserId;
  readonly ownerName: string;
  readonly isOwn: boolean;
  readonly model: ShownToken | null;
  readonly policy: TokenPolicy;
}

/** Making a token: one's own, a copy (`?from=`), or one for somebody else (`?for=`, admins). */
export function addNewTokenRoutes(router: WebRouter, deps: NewTokenDeps): void {
  const { guards, tokens } = deps;

  router.get(
    '/tokens/new',
    guards.page(async (c, person, frame) => {
      const subject = await subjectOf(c, person, deps);
      if (isRefused(subject)) return subject;
      const draft = subject.model === null ? emptyDraft(subject.policy) : copyDraft(subject.model, frame);
      return show(c, frame, subject, draft, []);
    }),
  );

  router.post(
    '/tokens/new',
    guards.change(async (c, person, form, frame) => {
      const subject = await subjectOf(c, person, deps);
      if (isRefused(subject)) return subject;
      const draft = draftFrom(form);
      const step = readStep(frame, form.text('step'), draft);
      if (step.kind === 'browse') return deps.folders.show(c, person, frame, form, step.path);
      if (step.kind === 'form') return show(c, frame, subject, step.draft, step.errors);
      const typed = withTypedFolder(frame, draft);
      const whole = typed.kind === 'form' ? typed : { draft, errors: [] };
      if (whole.errors.length > 0) return show(c, frame, subject, whole.draft, whole.errors);
      const { settings, errors } = settleDraft(frame, whole.draft, subject.policy);
      if (settings === null) return show(c, frame, subject, whole.draft, errors);
      const fresh = await make(person, subject, settings);
      if (!isRefused(fresh)) return once(c, frame, subject, fresh);
      const error = refusalError(frame, fresh);
      return error === null ? fresh : show(c, frame, subject, whole.draft, [error]);
    }),
  );

  const make = (person: Person, subject: Subject, settings: TokenSettings): Promise<FreshToken | Refused> =>
    subject.model === null
      ? tokens.create(person, subject.ownerId, settings)
      : tokens.copy(person, subject.model.id, settings);

  async function once(c: WebContext, frame: Frame, subject: Subject, fresh: FreshToken): Promise<Answer> {
    const { token } = fresh;
    const addresses = serverAddresses(deps.routes, token.scopes, frame.origin, token.ownerName);
    const done = listOf(subject);
    return c.html(renderOnce(frame, { fresh, addresses, isRenewed: false, done }), 201);
  }
}

async function show(
  c: WebContext,
  frame: Frame,
  subject: Subject,
  draft: TokenDraft,
  errors: readonly FieldError[],
): Promise<Response> {
  const words = frame.texts.tokenForm;
  const { model, policy, isOwn } = subject;
  const title =
    model !== null ? words.copyTitle(model.name) : isOwn ? words.newTitle : words.newFor(subject.ownerName);
  const from = model === null ? null : model.id;
  const action = withQuery(paths.newToken, { from, for: isOwn || model !== null ? null : subject.ownerId });
  const view = {
    ...{ title, draft, policy, errors, action, submit: words.create },
    lead: model === null ? words.lead : words.copyLead,
    cancel: model === null ? listOf(subject) : paths.token(model.id),
    version: null,
    current: model,
  };
  return c.html(renderNewToken(frame, view), errors.length > 0 ? 422 : 200);
}

async function subjectOf(c: WebContext, person: Person, deps: NewTokenDeps): Promise<Subject | Refused> {
  const { policy } = await deps.tokens.policyFor(person);
  const from = c.req.query('from');
  const model = from === undefined ? null : await deps.tokens.get(person, from as TokenId);
  if (model !== null && isRefused(model)) return model;
  const ownerId = model?.userId ?? ((c.req.query('for') ?? person.user.id) as UserId);
  if (ownerId === person.user.id) {
    return { ownerId, ownerName: person.user.name, isOwn: true, model, policy };
  }
  const owner = await deps.people.get(person, ownerId);
  return isRefused(owner) ? owner : { ownerId, ownerName: owner.name, isOwn: false, model, policy };
}

/** An end that has passed cannot be copied: another has to be chosen. */
function copyDraft(model: ShownToken, { now }: Frame): TokenDraft {
  const draft = draftOf(model);
  const hasEnded = model.expiresAt !== null && model.expiresAt <= now;
  return hasEnded ? { ...draft, expiry: '90', date: '' } : draft;
}

function listOf({ isOwn, ownerId }: Subject): string {
  return isOwn ? paths.tokens : paths.user(ownerId);
}
