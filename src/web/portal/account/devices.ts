import type { SessionId } from '../../../core/ids.ts';
import { isRefused } from '../../../management/refused.ts';
import type { SessionManagement } from '../../../management/sessions.ts';
import type { TokenManagement } from '../../../management/tokens.ts';
import type { WebRouter } from '../../context.ts';
import { clearSessionCookie } from '../../session-cookie.ts';
import type { Guards } from '../guards.ts';
import { paths, withQuery } from '../paths.ts';
import { renderDevices } from './devices-page.ts';

/** Among so many tokens, those used last, devices are looked for. */
const devicesShown = 100;

/** What devices and sessions work with. */
export interface DeviceDeps {
  readonly guards: Guards;
  readonly tokens: TokenManagement;
  readonly sessions: SessionManagement;
}

/** Devices & sessions, and signing out elsewhere. */
export function addDeviceRoutes(router: WebRouter, { guards, tokens, sessions }: DeviceDeps): void {
  router.get(
    '/devices',
    guards.page(async (c, person, frame) => {
      const userId = person.user.id;
      const [used, open] = await Promise.all([
        tokens.list(person, { userId, order: 'used', descending: true, limit: devicesShown }),
        sessions.list(person, userId),
      ]);
      if (isRefused(used)) return used;
      if (isRefused(open)) return open;
      const devices = used.items.filter(({ lastUsedAt }) => lastUsedAt !== null);
      return c.html(renderDevices(frame, { devices, sessions: open }));
    }),
  );

  router.post(
    '/devices/end-all',
    guards.change(async (c, person, form) => {
      const isHereToo = form.text('here') === 'yes';
      const ended = await sessions.endAll(person, person.user.id, isHereToo);
      if (isRefused(ended)) return ended;
      if (!isHereToo) return c.redirect(withQuery(paths.devices, { done: 'sessions-ended' }), 303);
      clearSessionCookie(c);
      return c.redirect(withQuery(paths.signIn, { done: 'signed-out' }), 303);
    }),
  );

  router.post(
    '/devices/:id/end',
    guards.change(async (c, person) => {
      const ended = await sessions.end(person, person.user.id, c.req.param('id') as SessionId);
      if (isRefused(ended)) return ended;
      if (ended.isCurrent) {
        clearSessionCookie(c);
        return c.redirect(withQuery(paths.signIn, { done: 'signed-out' }), 303);
      }
      return c.redirect(withQuery(paths.devices, { done: 'session-ended' }), 303);
    }),
  );
}
