import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { Fault, faults } from '../core/errors.ts';
import { apiPath, sitePath } from '../core/site-path.ts';
import type { SignIn } from '../management/sign-in.ts';
import { limitBody } from './body-limit.ts';
import type { WebContext, WebEnv, WebRouter, WireVisit } from './context.ts';
import { isForeign, isOwnCsrf } from './csrf.ts';
import { readForm } from './forms.ts';
import { type Problem, problemJson, setRetryAfter } from './problem.ts';
import { setSecurityHeaders } from './security-headers.ts';
import { isApi, recogniseVisitor, visitOf } from './visitor.ts';

/** No form and no request of the API is larger. */
const bodyBytesMax = 64 * 1_024;
const unsafeMethods: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const servedMethods: ReadonlySet<string> = new Set([...unsafeMethods, 'GET', 'HEAD', 'OPTIONS']);

/** What the site is made of. */
export interface WebAppDeps {
  readonly signIn: Pick<SignIn, 'recognise'>;
  /** Mounted at `/.latchkey`. */
  readonly portal: WebRouter;
  /** Mounted at `/.latchkey/api`. */
  readonly api: WebRouter;
  /** A page that tells a problem to a person. */
  readonly problemPage: (c: WebContext, problem: Problem) => Response | Promise<Response>;
  /** As browsers reach us (`portal.url`), without a slash at its end; null: as each request says. */
  readonly url: string | null;
  /** Origins of the providers that sign-in leads to. */
  readonly providerOrigins: readonly string[];
  /** Told of everything that is broken; must not throw. */
  readonly fault: (requestId: string, error: unknown) => void;
}

/** The site below `/.latchkey`, ready for requests. */
export interface WebApp {
  handle(
    req: IncomingMessage | Http2ServerRequest,
    res: ServerResponse | Http2ServerResponse,
    visit: WireVisit,
  ): void;
}

/** What Hono is handed with each request. */
interface Bindings {
  readonly incoming: IncomingMessage | Http2ServerRequest;
}

/**
 * Joins pages and API behind what all of them need: limits, who it is, no other site's requests, headers that keep a
 * browser strict, and one way to fail.
 */
export function createWebApp(deps: WebAppDeps): WebApp {
  const visits = new WeakMap<object, WireVisit>();
  const app = new Hono<WebEnv>({ strict: false });
  const tell = (c: WebContext, problem: Problem): Response | Promise<Response> => {
    const { retryAfterMs } = problem;
    if (isApi(c)) return problemJson(c, problem);
    if (retryAfterMs !== undefined) setRetryAfter(c, retryAfterMs);
    return deps.problemPage(c, problem);
  };
  const wireOf = (c: WebContext): WireVisit => visits.get((c.env as Bindings).incoming) as WireVisit;

  app.use(async (c, next) => {
    c.set('visit', visitOf(wireOf(c), deps.url, c.req.header('Accept-Language')));
    c.set('person', null);
    c.set('csrf', '');
    await next();
    setSecurityHeaders(c, deps.providerOrigins);
  });
  app.use(async (c, next) => {
    const wire = wireOf(c);
    const elsewhere = elsewhereAnswer(c, wire);
    if (elsewhere !== null) return elsewhere;
    if (!servedMethods.has(c.req.method)) return tell(c, methodRefused);
    await recogniseVisitor(c, wire, deps.signIn);
    return next();
  });

  /** On another host than the one that the operator named there is nothing but the way to it. */
  function elsewhereAnswer(c: WebContext, wire: WireVisit): Response | null {
    if (deps.url === null || new URL(deps.url).host === wire.host) return null;
    if (c.req.method !== 'GET') return problemJson(c, wrongHost);
    const { pathname, search } = new URL(c.req.url);
    return c.redirect(deps.url + pathname + search, 308);
  }

  app.use(limitBody(bodyBytesMax, (c) => tell(c, bodyTooLarge)));
  app.use(async (c, next) => {
    const refused = await refuseForged(c);
    return refused === null ? next() : tell(c, refused);
  });
  app.route(apiPath, deps.api);
  app.route(sitePath, deps.portal);
  app.notFound((c) => tell(c, notFound));
  app.onError((error, c) => {
    const code = error instanceof Fault ? error.code : 'internal';
    // Nothing is broken where a client leaves in the middle of its body.
    const { incoming } = c.env as Bindings;
    const hasLeft = incoming.destroyed && !incoming.complete;
    if (error instanceof Fault || !hasLeft) deps.fault(c.get('visit').requestId, error);
    const { status, detail } = faults[code];
    const retryAfterMs = status === 503 ? 2_000 : undefined;
    return tell(c, { status, code, detail, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
  });
  const listener = getRequestListener(app.fetch, {
    overrideGlobalObjects: false,
  });
  return {
    handle(req, res, visit) {
      visits.set(req, visit);
      void listener(req, res);
    },
  };
}

/**
 * Null where an unsafe request is this visitor's own doing. A script's request to the API with an Authorization of its own
 * cannot be forged by another site; of nobody's there is nothing to forge but a sign-in, which pages alone offer. There an
 * Authorization says nothing: a browser that knows a password for this host adds it to other sites' forms too.
 */
async function refuseForged(c: WebContext): Promise<Problem | null> {
  if (!unsafeMethods.has(c.req.method)) return null;
  if (isApi(c) && c.req.header('Authorization') !== undefined) return null;
  if (isForeign(c)) return foreign;
  if (c.get('person') === null && isApi(c)) return null;
  const sent = c.req.header('X-CSRF-Token') ?? (isApi(c) ? null : (await readForm(c)).text('csrf'));
  return isOwnCsrf(c.get('csrf'), sent) ? null : stale;
}

const notFound: Problem = { status: 404, code: 'not_found', detail: 'There is no such page here.' };
const wrongHost: Problem = {
  status: 421,
  code: 'misdirected',
  detail: 'These pages are served under another address.',
};
const methodRefused: Problem = {
  status: 405,
  code: 'method_refused',
  detail: 'This method is not served here.',
};
const bodyTooLarge: Problem = {
  status: 413,
  code: 'body_too_large',
  detail: 'The request is larger than 64 KiB: send less at once.',
};
const foreign: Problem = {
  status: 403,
  code: 'foreign_request',
  detail: 'This request comes from a page of another site, so it was not carried out.',
};
const stale: Problem = {
  status: 403,
  code: 'form_expired',
  detail:
    'The form is from an earlier visit, so nothing was changed: go back, reload the page and send it again.',
};
