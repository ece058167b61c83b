import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Caller } from '../../management/caller.ts';
import type { WebContext, WebEnv } from '../context.ts';

/** What handlers of the API find in their context beside what every handler of the site does. */
export interface ApiEnv {
  readonly Variables: WebEnv['Variables'] & {
    /** Who asks: set before any handler runs, but for those of a token that speaks of itself. */
    readonly caller: Caller;
  };
}

/** What resources add their routes to. */
export type ApiRouter = OpenAPIHono<ApiEnv>;

/** The document of the API as OpenAPI 3.1 knows it. */
export type ApiDocument = ReturnType<ApiRouter['getOpenAPI31Document']>;

/** The context that handlers of the API are given. */
export type ApiContext = Context<ApiEnv>;

/** The same context for what all of the site shares, which knows nothing of callers. */
export function asWeb(c: Pick<ApiContext, 'req'>): WebContext {
  return c as unknown as WebContext;
}
