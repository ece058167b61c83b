import { Hono } from 'hono';
import type { Clock } from '../../core/clock.ts';
import type { AuditReading } from '../../management/audit.ts';
import type { Collections } from '../../management/collections.ts';
import type { PeopleManagement } from '../../management/people.ts';
import type { SessionManagement } from '../../management/sessions.ts';
import type { SignIn } from '../../management/sign-in.ts';
import type { TokenManagement } from '../../management/tokens.ts';
import type { WebContext, WebEnv, WebRouter } from '../context.ts';
import type { Problem } from '../problem.ts';
import type { SealedCookie } from '../sealed-cookie.ts';
import { addAccountRoutes } from './account/account.ts';
import { addDeviceRoutes } from './account/devices.ts';
import { addLinkRoutes } from './account/links.ts';
import { addResumeRoutes } from './account/resume.ts';
import { addSignInRoutes } from './account/sign-in.ts';
import { addAuditRoutes } from './admin/audit.ts';
import { addPolicyRoutes } from './admin/policy.ts';
import { addAllTokenRoutes } from './admin/tokens.ts';
import { addUserRoutes } from './admin/users.ts';
import { createProblemPage } from './error-page.ts';
import { createFraming } from './frame.ts';
import { createGuards } from './guards.ts';
import { loadStaticFiles, type StaticFiles } from './static-files.ts';
import { addTokenChangeRoutes } from './tokens/changes.ts';
import { addTokenPageRoutes } from './tokens/detail.ts';
import { createFolderPages } from './tokens/folders.ts';
import { addTokenListRoutes } from './tokens/list.ts';
import { addNewTokenRoutes } from './tokens/new.ts';
import { addRegenerateRoutes } from './tokens/regenerate.ts';
import type { KnownRoute } from './tokens/server-addresses.ts';

/** What pages are made from. */
export interface PortalDeps {
  readonly signIn: SignIn;
  readonly tokens: TokenManagement;
  readonly people: PeopleManagement;
  readonly sessions: SessionManagement;
  readonly audit: AuditReading;
  readonly collections: Collections;
  readonly clock: Clock;
  readonly routes: readonly KnownRoute[];
  /** Where a sign-in under way at a provider waits. */
  readonly pending: SealedCookie;
  readonly productVersion: string;
}

/** The pages, and the one that tells of problems nobody else answers. */
export interface Portal {
  /** To be mounted at `/.latchkey`. */
  readonly router: WebRouter;
  readonly problemPage: (c: WebContext, problem: Problem) => Promise<Response>;
}

/** Makes the pages. Reads the static files at once. */
export function createPortal(deps: PortalDeps): Portal {
  const files = loadStaticFiles();
  const framing = createFraming({ ...deps, assets: files.base });
  const guards = createGuards({ ...deps, framing });
  const folders = createFolderPages(deps.collections);
  const router = new Hono<WebEnv>();
  addStaticRoutes(router, files);
  addSignInRoutes(router, { ...deps, framing });
  addTokenListRoutes(router, { ...deps, guards });
  addNewTokenRoutes(router, { ...deps, guards, folders });
  // Before the page about one token, whose address would take theirs for an id.
  addTokenChangeRoutes(router, { ...deps, guards, framing });
  addTokenPageRoutes(router, { ...deps, guards, folders });
  addRegenerateRoutes(router, { ...deps, guards });
  addDeviceRoutes(router, { ...deps, guards });
  addAccountRoutes(router, { ...deps, guards });
  addLinkRoutes(router, { ...deps, framing });
  addResumeRoutes(router, { guards });
  addUserRoutes(router, { ...deps, guards });
  addAllTokenRoutes(router, { ...deps, guards });
  addPolicyRoutes(router, { ...deps, guards });
  addAuditRoutes(router, { ...deps, guards });
  return { router, problemPage: createProblemPage(framing) };
}

/**
 * Files whose address changes with their content may be kept for good (RFC 8246), by browsers alone: an answer may bring a
 * visitor's first cookie along, which a shared cache would hand to others.
 */
function addStaticRoutes(router: WebRouter, files: StaticFiles): void {
  router.get('/static/:hash/:name', (c) => {
    const file = files.find(c.req.param('hash'), c.req.param('name'));
    if (file === null) return c.notFound();
    return c.body(file.body, 200, {
      'Content-Type': file.contentType,
      'Cache-Control': 'private, max-age=31536000, immutable',
    });
  });
}
