import type { WebRouter } from '../../context.ts';
import { renderResume } from '../confirm-page.ts';
import type { Draft, Guards } from '../guards.ts';
import { ownAddress, paths, withQuery } from '../paths.ts';

/** After a confirmation at the provider: goes on with the form that the session kept meanwhile. */
export function addResumeRoutes(router: WebRouter, { guards }: { readonly guards: Guards }): void {
  router.get(
    '/confirmed',
    guards.page(async (c, person, frame) => {
      const { draft } = person.session;
      if (draft === null) return c.redirect(withQuery(paths.tokens, { done: 'confirmed' }), 303);
      const { action, fields } = JSON.parse(draft) as Draft;
      return c.html(renderResume(frame, ownAddress(action), fields));
    }),
  );
}
