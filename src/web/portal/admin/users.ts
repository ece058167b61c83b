import type { UserId } from '../../../core/ids.ts';
import type { Person } from '../../../management/caller.ts';
import type { PeopleManagement, UserChanges } from '../../../management/people.ts';
import { isRefused } from '../../../management/refused.ts';
import type { SessionManagement } from '../../../management/sessions.ts';
import type { TokenManagement } from '../../../management/tokens.ts';
import type { UserQuery } from '../../../identity/user-store.ts';
import type { WebContext, WebRouter } from '../../context.ts';
import type { Form } from '../../forms.ts';
import type { FieldError } from '../fields.ts';
import type { Frame } from '../frame.ts';
import type { Answer, Guards } from '../guards.ts';
import { paths, withQuery } from '../paths.ts';
import { readListAsked, toTokenQuery } from '../token-list.ts';
import { userError } from './user-errors.ts';
import { addUserDeedRoutes } from './user-deeds.ts';
import { renderUser, type UserDraft } from './user-page.ts';
import { addNewUserRoutes } from './new-user.ts';
import { renderUsers, type UsersAsked } from './users-page.ts';

const pageSize = 50;

/** What managing users works with. */
export interface UserRoutesDeps {
  readonly guards: Guards;
  readonly people: PeopleManagement;
  readonly tokens: TokenManagement;
  readonly sessions: SessionManagement;
}

/** What a page with a form that came back shows beside the user. */
interface Shown {
  readonly draft: UserDraft | null;
  readonly errors: readonly FieldError[];
  readonly isStale?: boolean;
}

/** Users: list, search, create, and one user's page. */
export function addUserRoutes(router: WebRouter, deps: UserRoutesDeps): void {
  const { guards, people, tokens, sessions } = deps;

  router.get(
    '/admin/users',
    guards.page(async (c, person, frame) => {
      const asked = readAsked(c);
      const page = await people.list(person, toQuery(asked));
      return isRefused(page) ? page : c.html(renderUsers(frame, asked, page));
    }),
  );

  addNewUserRoutes(router, deps);
  addUserDeedRoutes(router, deps);

  async function show(
    c: WebContext,
    person: Person,
    frame: Frame,
    id: UserId,
    shown: Shown,
  ): Promise<Answer> {
    const user = await people.get(person, id);
    if (isRefused(user)) return user;
    const asked = readListAsked((name) => c.req.query(name));
    const page = await tokens.list(person, { ...toTokenQuery(asked), userId: id });
    if (isRefused(page)) return page;
    const open = await sessions.list(person, id);
    if (isRefused(open)) return open;
    const { errors, isStale = false } = shown;
    const draft = shown.draft ?? {
      ...{ displayName: user.displayName ?? '', email: user.email ?? '', role: user.role },
      mayHaveTokens: user.mayHaveTokens === null ? 'policy' : user.mayHaveTokens ? 'yes' : 'no',
    };
    const view = { user, draft, errors, isStale, asked, tokens: page, sessions: open };
    return c.html(renderUser(frame, view), errors.length > 0 ? 422 : isStale ? 409 : 200);
  }

  router.get(
    '/admin/users/:id',
    guards.page(async (c, person, frame) => {
      // A person may look at itself, but this page is for those who manage others.
      const others = await people.list(person, { limit: 1 });
      if (isRefused(others)) return others;
      return show(c, person, frame, c.req.param('id') as UserId, { draft: null, errors: [] });
    }),
  );

  router.post(
    '/admin/users/:id',
    guards.change(async (c, person, form, frame) => {
      const id = c.req.param('id') as UserId;
      const draft = draftFrom(form);
      const changed = await people.change(person, id, toChanges(form, draft), Number(form.text('version')));
      if (!isRefused(changed)) return c.redirect(withQuery(paths.user(id), { done: 'user-saved' }), 303);
      if (changed.code === 'stale')
        return show(c, person, frame, id, { draft: null, errors: [], isStale: true });
      const error = userError(frame, changed);
      return error === null ? changed : show(c, person, frame, id, { draft, errors: [error] });
    }),
  );
}

function draftFrom(form: Form): UserDraft {
  const may = form.text('mayHaveTokens');
  return {
    displayName: form.text('displayName').trim(),
    email: form.text('email').trim(),
    role: form.text('role') === 'admin' ? 'admin' : 'user',
    mayHaveTokens: may === 'yes' || may === 'no' ? may : 'policy',
  };
}

/** Name and mail address only where the form had them. */
function toChanges(form: Form, { displayName, email, role, mayHaveTokens }: UserDraft): UserChanges {
  return {
    role,
    mayHaveTokens: mayHaveTokens === 'policy' ? null : mayHaveTokens === 'yes',
    ...(form.has('displayName') ? { displayName: displayName === '' ? null : displayName } : {}),
    ...(form.has('email') ? { email: email === '' ? null : email } : {}),
  };
}

function readAsked(c: WebContext): UsersAsked {
  const [role, standing] = [c.req.query('role'), c.req.query('standing')];
  return {
    text: (c.req.query('q') ?? '').trim().slice(0, 200),
    role: role === 'user' || role === 'admin' ? role : '',
    standing: standing === 'in' || standing === 'out' ? standing : '',
    after: c.req.query('after') ?? '',
  };
}

function toQuery({ text, role, standing, after }: UsersAsked): UserQuery {
  return {
    limit: pageSize,
    ...(text === '' ? {} : { text }),
    ...(role === '' ? {} : { role }),
    ...(standing === '' ? {} : { shutOut: standing === 'out' }),
    ...(after === '' ? {} : { after }),
  };
}
