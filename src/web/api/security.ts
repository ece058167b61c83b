import type { AdminKeyScope } from '../../identity/admin-key-store.ts';
import type { ApiRouter } from './api-context.ts';

type Requirements = Record<string, string[]>[];

/** A session, or an admin key with this scope, that reads. */
export function readers(scope: AdminKeyScope): Requirements {
  return [{ session: [] }, { adminKey: [scope] }];
}

/** A session with its CSRF token, or an admin key with this scope, that changes something. */
export function changers(scope: AdminKeyScope): Requirements {
  return [{ session: [], csrf: [] }, { adminKey: [scope] }];
}

/** A session, or any admin key, that reads. */
export const anyReader: Requirements = [{ session: [] }, { adminKey: [] }];

/** A session alone, that reads. */
export const personReads: Requirements = [{ session: [] }];

/** A session alone, with its CSRF token. */
export const personOnly: Requirements = [{ session: [], csrf: [] }];

/** An app token, which may ask for itself alone. */
export const tokenItself: Requirements = [{ appTokenBearer: [] }, { appTokenBasic: [] }];

/** Tells the document how callers prove who they are. */
export function addSecuritySchemes(api: ApiRouter): void {
  const { openAPIRegistry: registry } = api;
  registry.registerComponent('securitySchemes', 'adminKey', {
    type: 'http',
    scheme: 'bearer',
    description:
      'An admin key, `lka_…`, made by `latchkey key create`. Its scopes say what it manages: `users`, `tokens`, `audit`; `verify` manages nothing here.',
  });
  registry.registerComponent('securitySchemes', 'session', {
    type: 'apiKey',
    in: 'cookie',
    name: '__Host-latchkey',
    description:
      'The session of a signed-in browser. Over plain http on other hosts than the own machine it is called `latchkey_session`.',
  });
  registry.registerComponent('securitySchemes', 'csrf', {
    type: 'apiKey',
    in: 'header',
    name: 'X-CSRF-Token',
    description: 'Beside the session wherever something changes: the `csrfToken` of `GET /v1/session`.',
  });
  registry.registerComponent('securitySchemes', 'appTokenBearer', {
    type: 'http',
    scheme: 'bearer',
    description: 'An app token, `lk_…`: refused everywhere but at `/v1/self`.',
  });
  registry.registerComponent('securitySchemes', 'appTokenBasic', {
    type: 'http',
    scheme: 'basic',
    description: 'The login name of its owner and an app token.',
  });
}
