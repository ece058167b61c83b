import { createRoute, z } from '@hono/zod-openapi';
import type { TokenId } from '../../core/ids.ts';
import { isRefused } from '../../management/refused.ts';
import type { ShownToken, TokenManagement } from '../../management/tokens.ts';
import type { ApiContext, ApiRouter } from './api-context.ts';
import { userMeant } from './caller.ts';
import { readPrecondition, setVersion } from './conditional.ts';
import { answerPage, onePage } from './paging.ts';
import { answerProblem, answerRefusal } from './problem.ts';
import { answers, ifMatch, jsonBody } from './responses.ts';
import { givenId } from './schema-parts.ts';
import { changers, readers } from './security.ts';
import { tokenListQuery } from './token-query.ts';
import { revocationSchema, tokenBody, tokenChangesSchema, tokenSchema } from './token-schema.ts';

const tags = ['Tokens'];
const params = z.strictObject({ id: givenId<TokenId>() });
const etag = { ETag: 'The version of its settings.' };

const listRoute = createRoute({
  method: 'get',
  path: '/v1/tokens',
  operationId: 'listTokens',
  tags,
  security: readers('tokens'),
  summary: 'List tokens',
  description: 'One’s own; those who manage tokens see everybody’s.',
  request: { query: tokenListQuery },
  responses: answers(onePage('TokenPage', tokenSchema), 'bad_parameters'),
});

const getRoute = createRoute({
  method: 'get',
  path: '/v1/tokens/{id}',
  operationId: 'readToken',
  tags,
  security: readers('tokens'),
  summary: 'Read a token',
  request: { params },
  responses: answers(
    { status: 200, description: 'The token.', schema: tokenSchema, headers: etag },
    'not_found',
  ),
});

const editRoute = createRoute({
  method: 'patch',
  path: '/v1/tokens/{id}',
  operationId: 'editToken',
  tags,
  security: changers('tokens'),
  summary: 'Edit a token',
  description: 'What is left out stays as it is; null takes an end, a start or a limit away.',
  parameters: [ifMatch],
  request: { params, body: jsonBody(tokenChangesSchema) },
  responses: answers(
    { status: 200, description: 'The token as it is now.', schema: tokenSchema, headers: etag },
    ...(['not_found', 'revoked', 'stale', 'bad_precondition', 'confirmation_needed'] as const),
    ...(['bad_fields', 'malformed_body', 'unsupported_type', 'policy'] as const),
  ),
});

const revokeRoute = createRoute({
  method: 'delete',
  path: '/v1/tokens/{id}',
  operationId: 'revokeToken',
  tags,
  security: changers('tokens'),
  summary: 'Revoke a token',
  description: 'For good. Revoking it again changes nothing.',
  request: { params },
  responses: answers(
    { status: 200, description: 'The revoked token.', schema: tokenSchema, headers: etag },
    ...(['not_found', 'bad_precondition', 'confirmation_needed'] as const),
  ),
});

const revokeManyRoute = createRoute({
  method: 'post',
  path: '/v1/tokens/revoke',
  operationId: 'revokeTokens',
  tags,
  security: changers('tokens'),
  summary: 'Revoke several tokens',
  description: 'At most 1,000, all or none. The answer holds those that were not revoked before.',
  request: { body: jsonBody(revocationSchema) },
  responses: answers(
    {
      status: 200,
      description: 'The tokens revoked now.',
      schema: z.strictObject({ revoked: z.array(tokenSchema) }).openapi('RevokedTokens'),
    },
    ...(['not_found', 'confirmation_needed', 'bad_fields', 'malformed_body', 'unsupported_type'] as const),
  ),
});

function switchRoute(to: 'enable' | 'disable') {
  return createRoute({
    method: 'post',
    path: `/v1/tokens/{id}/${to}` as '/v1/tokens/{id}/enable',
    operationId: to === 'enable' ? 'switchTokenOn' : 'switchTokenOff',
    tags,
    security: changers('tokens'),
    summary: to === 'enable' ? 'Switch a token on' : 'Switch a token off',
    parameters: [ifMatch],
    request: { params },
    responses: answers(
      { status: 200, description: 'The token as it is now.', schema: tokenSchema, headers: etag },
      ...(['not_found', 'revoked', 'stale', 'bad_precondition', 'confirmation_needed'] as const),
    ),
  });
}

/** Lists, reads, edits, switches and revokes tokens. */
export function addTokenRoutes(api: ApiRouter, tokens: TokenManagement): void {
  api.openapi(listRoute, async (c) => {
    const { user, query } = c.req.valid('query');
    const userId = user === null ? null : userMeant(c, user);
    if (user !== null && userId === null) {
      return answerProblem(c, 'bad_parameters', {
        errors: [{ parameter: 'user', detail: 'a key is nobody: name an id' }],
      });
    }
    const page = await tokens.list(c.get('caller'), { ...query, ...(userId === null ? {} : { userId }) });
    return isRefused(page) ? answerRefusal(c, page) : answerPage(c, page, tokenBody);
  });
  api.openapi(getRoute, async (c) => {
    const token = await tokens.get(c.get('caller'), c.req.valid('param').id);
    return isRefused(token) ? answerRefusal(c, token) : answerToken(c, token);
  });
  api.openapi(revokeManyRoute, async (c) => {
    const { ids, why } = c.req.valid('json');
    const revoked = await tokens.revokeMany(c.get('caller'), ids, why);
    if (isRefused(revoked)) return answerRefusal(c, revoked);
    return c.json({ revoked: revoked.map(tokenBody) });
  });
  api.openapi(editRoute, async (c) => {
    const precondition = readPrecondition(c);
    if (precondition.kind === 'problem') return answerProblem(c, precondition.code);
    const { id } = c.req.valid('param');
    const token = await tokens.edit(c.get('caller'), id, c.req.valid('json'), precondition.version);
    return isRefused(token) ? answerRefusal(c, token) : answerToken(c, token);
  });
  for (const to of ['enable', 'disable'] as const) {
    api.openapi(switchRoute(to), async (c) => {
      const precondition = readPrecondition(c);
      if (precondition.kind === 'problem') return answerProblem(c, precondition.code);
      const { id } = c.req.valid('param');
      const token = await tokens.setEnabled(c.get('caller'), id, to === 'enable', precondition.version);
      return isRefused(token) ? answerRefusal(c, token) : answerToken(c, token);
    });
  }
  api.openapi(revokeRoute, async (c) => {
    const token = await tokens.revoke(c.get('caller'), c.req.valid('param').id);
    return isRefused(token) ? answerRefusal(c, token) : answerToken(c, token);
  });
}

function answerToken(c: ApiContext, token: ShownToken): Response {
  setVersion(c, token.version);
  return c.json(tokenBody(token));
}
