import type { Config } from '../config/config.ts';
import { Fault } from '../core/errors.ts';
import { systemRandom } from '../core/random.ts';
import { findCollections, type FoundCollections, type Looker } from '../gateway/collections.ts';
import { createConcurrentRequests } from '../gateway/concurrent-requests.ts';
import type { PipelineDeps } from '../gateway/pipeline.ts';
import { createAdminKeys } from '../management/admin-keys.ts';
import { createAuditReading } from '../management/audit-reading.ts';
import type { Person } from '../management/caller.ts';
import type { Collections } from '../management/collections.ts';
import { createPeopleManagement } from '../management/people-management.ts';
import { pendingMs } from '../management/provider-door.ts';
import { refused } from '../management/refused.ts';
import { createSessionManagement } from '../management/session-management.ts';
import { createTokenManagement } from '../management/token-management.ts';
import { createApi } from '../web/api/api.ts';
import { createWebApp, type WebApp } from '../web/app.ts';
import { createPortal } from '../web/portal/portal.ts';
import { createPendingCookie } from '../web/sealed-cookie.ts';
import type { Ground } from './ground.ts';
import { openLifecycle } from './lifecycle.ts';
import type { OpenedRedis } from './redis.ts';
import type { OpenedSignIn } from './sign-in.ts';
import type { OpenedStore } from './store.ts';
import type { OpenedVerification } from './verification.ts';

/** What the site is made from. */
export interface SiteParts {
  readonly store: OpenedStore;
  readonly redis: OpenedRedis | null;
  readonly verification: OpenedVerification;
  readonly signIn: OpenedSignIn;
  /** As in force at each request. */
  readonly pipeline: () => PipelineDeps;
  readonly version: string;
}

/** Everything below `/.latchkey`: pages and API over the same functions. */
export function openSite({ config, clock, log }: Ground, parts: SiteParts): WebApp {
  const { store, redis, verification, pipeline, version } = parts;
  const { signIn, users, sessions } = parts.signIn;
  const { lifecycle } = openLifecycle(store, redis, verification.freshness, clock);
  const tokens = createTokenManagement({
    ...{ clock, lifecycle, tokens: store.tokens, users: store.users, policies: store.policy },
  });
  const people = createPeopleManagement({
    ...{ clock, users, signIn, randomBytes: systemRandom, store: store.users, links: store.links },
  });
  const shared = {
    ...{ signIn, tokens, people, clock, productVersion: version },
    sessions: createSessionManagement({ sessions, users: store.users }),
    audit: createAuditReading({ tokens: store.tokens, users: store.users }),
    collections: openCollections(config, pipeline),
  };
  const portal = createPortal({
    ...shared,
    routes: config.routes.map(({ name, kind, match }) => ({ name, kind, ...match })),
    pending: createPendingCookie({ sealer: verification.identities.sealer, clock, maxAgeMs: pendingMs }),
  });
  const fault = (requestId: string, error: unknown): void =>
    log.error({ requestId, error }, 'a page or API request failed');
  const api = createApi({
    ...shared,
    fault,
    adminKeys: createAdminKeys({ store: store.adminKeys, clock, randomBytes: systemRandom }),
    repeated: store.repeated,
    confirmationMs: config.portal.confirmationMs,
    ...{ lifecycle, tokenStore: store.tokens },
    ...{ verifier: verification.verifier, guesses: verification.guesses },
  });
  return createWebApp({
    signIn,
    portal: portal.router,
    problemPage: portal.problemPage,
    api,
    url: config.portal.url,
    providerOrigins: providerOrigins(config),
    fault,
  });
}

/** Browsers hold a posted form to `form-action` also where its answer leads on to a provider. */
function providerOrigins({ signIn }: Config): readonly string[] {
  return signIn.ways.flatMap((way) => (way.kind === 'oidc' ? [new URL(way.issuer).origin] : []));
}

/** So many folders a person can have read at once: each holds an answer whole, and reading it keeps everybody waiting. */
const looksAtOnce = 2;

/** The folders of the routes' backends, asked for as the person. */
function openCollections(config: Config, pipeline: () => PipelineDeps): Collections {
  const routes = config.routes
    .filter(({ kind }) => kind !== 'rest')
    .map(({ name, match }) => ({ name, path: match.path, host: match.host }));
  const looks = createConcurrentRequests(() => looksAtOnce);

  async function look(path: string, looker: Looker): Promise<FoundCollections> {
    if (!looks.enter(looker.principal)) {
      throw new Fault('overloaded', `${looksAtOnce} folders are being read for this person already.`);
    }
    try {
      return await findCollections(path, looker, pipeline());
    } finally {
      looks.leave(looker.principal);
    }
  }

  return {
    routes: () => routes,
    async within(person, host, path) {
      const { address } = person;
      const found = await look(path, { principal: principalOf(person), host, address });
      if (found === 'none') return refused('not_found', 'There is no such folder that you may see.');
      if (found === 'too many') {
        return refused('conflict', 'This folder has too many entries to show them: write its path instead.');
      }
      return found.map((folder) => ({ path: folder, name: folder.split('/').at(-2) ?? folder }));
    },
  };
}

function principalOf({ user }: Person) {
  return { userId: user.id, userName: user.name, tokenId: null, scopes: [{ kind: 'everything' } as const] };
}
