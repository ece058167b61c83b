import { OpenAPIHono } from '@hono/zod-openapi';
import { HTTPException } from 'hono/http-exception';
import type { AdminKeys } from '../../management/admin-keys.ts';
import type { Collections } from '../../management/collections.ts';
import type { SessionManagement } from '../../management/sessions.ts';
import type { WebRouter } from '../context.ts';
import type { ApiEnv, ApiRouter } from './api-context.ts';
import { addAuditRoutes, type AuditDeps } from './audit.ts';
import { authenticate } from './authentication.ts';
import { addDocumentation } from './documentation.ts';
import { fieldProblems, parameterProblems } from './field-problems.ts';
import { addFolderRoutes } from './folders.ts';
import { keepToOperations } from './operations.ts';
import { addPolicyRoutes } from './policy.ts';
import { answerProblem } from './problem.ts';
import { refuseBadText } from './request-text.ts';
import { addSelfRoutes, type SelfDeps } from './self.ts';
import { addSessionRoutes, type SessionDeps } from './session.ts';
import { addTokenRoutes } from './tokens.ts';
import { addTokenValueRoutes, type TokenValueDeps } from './token-values.ts';
import { addUserRoutes, type UserDeps } from './users.ts';
import { addUserSessionRoutes } from './user-sessions.ts';

/** What the API is made of. */
export interface ApiDeps extends TokenValueDeps, UserDeps, SessionDeps, SelfDeps, AuditDeps {
  readonly tokens: TokenValueDeps['tokens'];
  readonly sessions: SessionManagement;
  readonly collections: Collections;
  readonly adminKeys: Pick<AdminKeys, 'recognise'>;
}

/**
 * The API, to be mounted at `/.latchkey/api` behind what all of the site shares: limits, session, CSRF, security headers,
 * faults. Everything below `/v1/` is for a session or an admin key, but for what a token may ask of itself.
 */
export function createApi(deps: ApiDeps): WebRouter {
  const api = createApiRouter();
  addDocumentation(api);
  api.use('/v1/*', keepToOperations(api));
  addSelfRoutes(api, deps);
  api.use('/v1/*', authenticate(deps.adminKeys));
  api.use('/v1/*', refuseBadText);
  addTokenRoutes(api, deps.tokens);
  addTokenValueRoutes(api, deps);
  addUserRoutes(api, deps);
  addUserSessionRoutes(api, deps.sessions);
  addSessionRoutes(api, deps);
  addPolicyRoutes(api, deps.tokens);
  addAuditRoutes(api, deps);
  addFolderRoutes(api, deps.collections);
  return api as unknown as WebRouter;
}

function createApiRouter(): ApiRouter {
  const api = new OpenAPIHono<ApiEnv>({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const { issues } = result.error;
      // An id of another form cannot be anything's.
      if (result.target === 'param') return answerProblem(c, 'not_found');
      return result.target === 'query'
        ? answerProblem(c, 'bad_parameters', { errors: parameterProblems(issues) })
        : answerProblem(c, 'bad_fields', { errors: fieldProblems(issues) });
    },
  });
  api.onError((error, c) => {
    if (!(error instanceof HTTPException)) throw error;
    // The validators of this library throw these two.
    return answerProblem(c, error.status === 415 ? 'unsupported_type' : 'malformed_body');
  });
  return api;
}
