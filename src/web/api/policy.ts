import { createRoute } from '@hono/zod-openapi';
import { isRefused } from '../../management/refused.ts';
import type { TokenManagement } from '../../management/tokens.ts';
import type { ApiRouter } from './api-context.ts';
import { readPrecondition, setVersion } from './conditional.ts';
import { keptPolicyBody, keptPolicySchema, newPolicySchema } from './policy-schema.ts';
import { answerProblem, answerRefusal } from './problem.ts';
import { answers, ifMatch, jsonBody } from './responses.ts';
import { changers, readers } from './security.ts';

const tags = ['Policy'];
const success = {
  status: 200,
  description: 'The policy.',
  schema: keptPolicySchema,
  headers: { ETag: 'The version of the policy.' },
} as const;

const getRoute = createRoute({
  method: 'get',
  path: '/v1/policy',
  operationId: 'readPolicy',
  tags,
  security: readers('tokens'),
  summary: 'Read the policy',
  description:
    'What everybody’s tokens are held to, with its version. `GET /v1/session` tells it to everybody.',
  responses: answers(success),
});

const replaceRoute = createRoute({
  method: 'put',
  path: '/v1/policy',
  operationId: 'replacePolicy',
  tags,
  security: changers('tokens'),
  summary: 'Replace the policy',
  description:
    'Binds what is made or edited from now on. If-Match is needed: two admins must not overwrite each other.',
  parameters: [{ ...ifMatch, required: true }],
  request: { body: jsonBody(newPolicySchema) },
  responses: answers(
    success,
    ...(['stale', 'precondition_needed', 'bad_precondition', 'confirmation_needed'] as const),
    ...(['bad_fields', 'malformed_body', 'unsupported_type'] as const),
  ),
});

/** Reads and replaces what everybody's tokens are held to. */
export function addPolicyRoutes(api: ApiRouter, tokens: TokenManagement): void {
  api.openapi(getRoute, async (c) => {
    const kept = await tokens.readPolicy(c.get('caller'));
    if (isRefused(kept)) return answerRefusal(c, kept);
    setVersion(c, kept.version);
    return c.json(keptPolicyBody(kept));
  });
  api.openapi(replaceRoute, async (c) => {
    const precondition = readPrecondition(c);
    if (precondition.kind === 'none') return answerProblem(c, 'precondition_needed');
    if (precondition.kind === 'problem') return answerProblem(c, precondition.code);
    const kept = await tokens.replacePolicy(c.get('caller'), c.req.valid('json'), precondition.version);
    if (isRefused(kept)) return answerRefusal(c, kept);
    setVersion(c, kept.version);
    return c.json(keptPolicyBody(kept));
  });
}
