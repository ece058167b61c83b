import { createRoute, z } from '@hono/zod-openapi';
import type { TokenId } from '../../core/ids.ts';
import { apiPath } from '../../core/site-path.ts';
import { isRefused, type Refused } from '../../management/refused.ts';
import type { FreshToken, TokenManagement } from '../../management/tokens.ts';
import type { ApiContext, ApiRouter } from './api-context.ts';
import { answerProblem } from './problem.ts';
import { answerOnce, type Made, type RepeatableDeps } from './repeatable.ts';
import { answers, idempotencyKey, jsonBody } from './responses.ts';
import { givenId } from './schema-parts.ts';
import { changers } from './security.ts';
import {
  freshTokenBody,
  freshTokenSchema,
  newTokenSchema,
  regenerationSchema,
  tokenChangesSchema,
} from './token-schema.ts';

/** What these routes need. */
export interface TokenValueDeps extends RepeatableDeps {
  readonly tokens: TokenManagement;
}

const tags = ['Tokens'];
const params = z.strictObject({ id: givenId<TokenId>() });
const problems = [
  ...([
    'confirmation_needed',
    'bad_fields',
    'malformed_body',
    'unsupported_type',
    'policy',
    'bad_scope',
  ] as const),
  ...(['bad_expiry', 'owner_gone', 'bad_key', 'key_reused', 'request_running'] as const),
];
const made = {
  status: 201,
  description: 'The token and its value, which can be read this once.',
  schema: freshTokenSchema,
  headers: { ETag: 'The version of its settings.', Location: 'Where the token can be read.' },
} as const;

const createTokenRoute = createRoute({
  method: 'post',
  path: '/v1/tokens',
  operationId: 'makeToken',
  tags,
  security: changers('tokens'),
  summary: 'Make a token',
  parameters: [idempotencyKey],
  request: { body: jsonBody(newTokenSchema) },
  responses: answers(made, 'not_found', ...problems),
});

const copyRoute = createRoute({
  method: 'post',
  path: '/v1/tokens/{id}/copy',
  operationId: 'copyToken',
  tags,
  security: changers('tokens'),
  summary: 'Make a token from another one',
  description:
    'Of the same owner, with the same settings and changes to them. The other one may be expired or revoked.',
  parameters: [idempotencyKey],
  request: { params, body: jsonBody(tokenChangesSchema, false) },
  responses: answers(made, 'not_found', 'expired', ...problems),
});

const regenerateRoute = createRoute({
  method: 'post',
  path: '/v1/tokens/{id}/regenerate',
  operationId: 'regenerateToken',
  tags,
  security: changers('tokens'),
  summary: 'Give a token a new value',
  description: 'The old value is dead at once; id and settings stay.',
  parameters: [idempotencyKey],
  request: { params, body: jsonBody(regenerationSchema, false) },
  responses: answers({ ...made, status: 200 }, 'not_found', 'expired', 'revoked', ...problems),
});

/** Everything whose answer holds the value of a token. */
export function addTokenValueRoutes(api: ApiRouter, deps: TokenValueDeps): void {
  const { tokens } = deps;
  const answerFresh = (
    c: ApiContext,
    status: Made['status'],
    request: readonly unknown[],
    make: () => Promise<FreshToken | Refused>,
  ): Promise<Response> =>
    answerOnce(c, deps, {
      request,
      run: async () => {
        const outcome = await make();
        return isRefused(outcome) ? outcome : toMade(outcome, status);
      },
      // Refused where it is no longer this caller's to see.
      recall: (body) => tokens.get(c.get('caller'), (body as { token: { id: TokenId } }).token.id),
    });

  api.openapi(createTokenRoute, async (c) => {
    const order = c.req.valid('json');
    const caller = c.get('caller');
    const ownerId = order.ownerId ?? (caller.kind === 'person' ? caller.user.id : null);
    if (ownerId === null) return answerProblem(c, 'bad_fields', { errors: [ownerMissing] });
    return answerFresh(c, 201, [order], () => tokens.create(caller, ownerId, order.settings));
  });
  api.openapi(copyRoute, async (c) => {
    const { id } = c.req.valid('param');
    const changes = c.req.valid('json');
    return answerFresh(c, 201, [changes], () => tokens.copy(c.get('caller'), id, changes));
  });
  api.openapi(regenerateRoute, async (c) => {
    const { id } = c.req.valid('param');
    const body = c.req.valid('json');
    return answerFresh(c, 200, [body], () => tokens.regenerate(c.get('caller'), id, body.expiresAt));
  });
}

const ownerMissing = {
  pointer: '/owner',
  detail: 'is missing: a key is nobody, so it says whose token it makes',
};

function toMade(fresh: FreshToken, status: Made['status']): Made {
  const { id, version } = fresh.token;
  const headers = { ETag: `"${version}"`, Location: `${apiPath}/v1/tokens/${id}` };
  return { status, headers, body: freshTokenBody(fresh) };
}
