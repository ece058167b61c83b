import type { UserId } from '../../../core/ids.ts';
import type { PeopleManagement } from '../../../management/people.ts';
import { isRefused } from '../../../management/refused.ts';
import type { SessionManagement } from '../../../management/sessions.ts';
import type { WebRouter } from '../../context.ts';
import type { Guards } from '../guards.ts';
import { html } from '../markup.ts';
import { paths, withQuery } from '../paths.ts';
import { renderQuestion } from '../question-page.ts';
import { renderPasswordLink } from './new-user.ts';

/** What these changes work with. */
export interface UserDeedDeps {
  readonly guards: Guards;
  readonly people: PeopleManagement;
  readonly sessions: SessionManagement;
}

/** Shutting a user out and letting it in, removing it, its password link, signing it out. */
export function addUserDeedRoutes(router: WebRouter, { guards, people, sessions }: UserDeedDeps): void {
  for (const deed of ['disable', 'remove'] as const) {
    router.get(
      `/admin/users/:id/${deed}`,
      guards.page(async (c, person, frame) => {
        const user = await people.get(person, c.req.param('id') as UserId);
        if (isRefused(user)) return user;
        const { users: words } = frame.texts;
        const isRemoval = deed === 'remove';
        const question = {
          title: isRemoval ? words.removeTitle(user.name) : words.disableTitle(user.name),
          section: 'users',
          text: html`<p>${isRemoval ? words.removeText : words.disableHint}</p>`,
          action: `${paths.user(user.id)}/${deed}`,
          fields: [],
          yes: isRemoval ? words.removeYes : words.disable,
          no: paths.user(user.id),
        } as const;
        return c.html(renderQuestion(frame, question));
      }),
    );
  }

  for (const deed of ['disable', 'enable'] as const) {
    router.post(
      `/admin/users/:id/${deed}`,
      guards.change(async (c, person) => {
        const id = c.req.param('id') as UserId;
        const changed = await people.change(person, id, { disabled: deed === 'disable' });
        if (isRefused(changed)) return changed;
        const done = deed === 'disable' ? 'user-disabled' : 'user-enabled';
        return c.redirect(withQuery(paths.user(id), { done }), 303);
      }),
    );
  }

  router.post(
    '/admin/users/:id/remove',
    guards.change(async (c, person) => {
      const removed = await people.remove(person, c.req.param('id') as UserId);
      return isRefused(removed) ? removed : c.redirect(withQuery(paths.users, { done: 'user-removed' }), 303);
    }),
  );

  router.post(
    '/admin/users/:id/password-link',
    guards.change(async (c, person, _form, frame) => {
      const id = c.req.param('id') as UserId;
      const user = await people.get(person, id);
      if (isRefused(user)) return user;
      const link = await people.passwordLink(person, id);
      if (isRefused(link)) return link;
      return c.html(renderPasswordLink(frame, user.name, paths.user(id), link.secret), 201);
    }),
  );

  router.post(
    '/admin/users/:id/sign-out',
    guards.change(async (c, person) => {
      const id = c.req.param('id') as UserId;
      const ended = await sessions.endAll(person, id, true);
      return isRefused(ended) ? ended : c.redirect(withQuery(paths.user(id), { done: 'session-ended' }), 303);
    }),
  );
}
