import { createRoute, z } from '@hono/zod-openapi';
import type { SessionId } from '../../core/ids.ts';
import { isRefused } from '../../management/refused.ts';
import type { SessionManagement } from '../../management/sessions.ts';
import { clearSessionCookie } from '../session-cookie.ts';
import { type ApiRouter, asWeb } from './api-context.ts';
import { userMeant } from './caller.ts';
import { answerProblem, answerRefusal } from './problem.ts';
import { answers } from './responses.ts';
import { givenId } from './schema-parts.ts';
import { changers, readers } from './security.ts';
import { sessionBody, sessionSchema } from './session-schema.ts';
import { userReference } from './token-query.ts';

const tags = ['Sessions'];
const params = z.strictObject({ user: userReference });

const listRoute = createRoute({
  method: 'get',
  path: '/v1/users/{user}/sessions',
  operationId: 'listSessions',
  tags,
  security: readers('users'),
  summary: 'List browser sessions',
  description: 'Most recently seen first. One’s own are those of `me`.',
  request: { params },
  responses: answers(
    {
      status: 200,
      description: 'All that have not ended.',
      schema: z.strictObject({ items: z.array(sessionSchema) }).openapi('SessionList'),
    },
    'not_found',
  ),
});

const endRoute = createRoute({
  method: 'delete',
  path: '/v1/users/{user}/sessions/{id}',
  operationId: 'endSession',
  tags,
  security: changers('users'),
  summary: 'End a browser session',
  description: 'It is over when the answer is there.',
  request: { params: params.extend({ id: givenId<SessionId>() }) },
  responses: answers(
    { status: 200, description: 'What it was.', schema: sessionSchema },
    ...(['not_found', 'bad_precondition'] as const),
  ),
});

const endAllRoute = createRoute({
  method: 'delete',
  path: '/v1/users/{user}/sessions',
  operationId: 'endSessions',
  tags,
  security: changers('users'),
  summary: 'Sign out everywhere',
  request: {
    params,
    query: z.strictObject({
      keepCurrent: z
        .enum(['true', 'false'])
        .default('false')
        .openapi({ description: 'Leaves the session that asks.' }),
    }),
  },
  responses: answers(
    {
      status: 200,
      description: 'How many ended.',
      schema: z.strictObject({ ended: z.int() }).openapi('EndedSessions'),
    },
    ...(['not_found', 'bad_parameters', 'bad_precondition'] as const),
  ),
});

/** Lists and ends browser sessions. */
export function addUserSessionRoutes(api: ApiRouter, sessions: SessionManagement): void {
  api.openapi(listRoute, async (c) => {
    const userId = userMeant(c, c.req.valid('param').user);
    if (userId === null) return answerProblem(c, 'not_found');
    const found = await sessions.list(c.get('caller'), userId);
    if (isRefused(found)) return answerRefusal(c, found);
    return c.json({ items: found.map(sessionBody) });
  });
  api.openapi(endRoute, async (c) => {
    const { user, id } = c.req.valid('param');
    const userId = userMeant(c, user);
    if (userId === null) return answerProblem(c, 'not_found');
    const ended = await sessions.end(c.get('caller'), userId, id);
    if (isRefused(ended)) return answerRefusal(c, ended);
    if (ended.isCurrent) clearSessionCookie(asWeb(c));
    return c.json(sessionBody(ended));
  });
  api.openapi(endAllRoute, async (c) => {
    const caller = c.get('caller');
    const userId = userMeant(c, c.req.valid('param').user);
    if (userId === null) return answerProblem(c, 'not_found');
    const withCurrent = c.req.valid('query').keepCurrent === 'false';
    const outcome = await sessions.endAll(caller, userId, withCurrent);
    if (isRefused(outcome)) return answerRefusal(c, outcome);
    if (withCurrent && caller.kind === 'person' && caller.user.id === userId) clearSessionCookie(asWeb(c));
    return c.json({ ended: outcome.ended });
  });
}
