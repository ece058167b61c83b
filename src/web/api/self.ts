import { createRoute, z } from '@hono/zod-openapi';
import type { Clock } from '../../core/clock.ts';
import type { TokenId } from '../../core/ids.ts';
import { type Authorization, readAuthorization } from '../../gateway/credential.ts';
import { createChallenge } from '../../gateway/refusal.ts';
import type { Guesses } from '../../tokens/guesses.ts';
import type { TokenLifecycle } from '../../tokens/lifecycle.ts';
import type { OwnedToken, TokenStore } from '../../tokens/token-store.ts';
import type { Verifier } from '../../tokens/verification.ts';
import { readSessionSecret } from '../session-cookie.ts';
import { type ApiContext, type ApiRouter, asWeb } from './api-context.ts';
import { answerProblem, answerUnauthenticated } from './problem.ts';
import { problemResponses, type Responses } from './responses.ts';
import { id, moment, momentText, momentTextOrNull } from './schema-parts.ts';
import { tokenItself } from './security.ts';

/** What these routes need. */
export interface SelfDeps {
  readonly verifier: Verifier;
  readonly guesses: Pick<Guesses, 'refused'>;
  readonly tokenStore: Pick<TokenStore, 'get'>;
  readonly lifecycle: Pick<TokenLifecycle, 'revoke'>;
  readonly clock: Clock;
}

const selfShape = z
  .strictObject({
    id,
    name: z.string(),
    prefix: z.string(),
    user: z.strictObject({ id, name: z.string() }),
    scopes: z.array(z.string()),
    createdAt: moment,
    expiresAt: moment
      .nullable()
      .openapi({ description: 'Null: never. Of a sliding token, where it ends unless it is used again.' }),
  })
  .openapi('Self');

const tags = ['A token about itself'];
const problems = problemResponses([
  'two_credentials',
  'malformed_credential',
  'unauthenticated',
  'too_many_failures',
]);

const readAnswers: Responses = {
  200: { description: 'The token.', content: { 'application/json': { schema: selfShape } } },
  ...problems,
};

const revokeAnswers: Responses = { 204: { description: 'It is revoked.' }, ...problems };

const readRoute = createRoute({
  method: 'get',
  path: '/v1/self',
  operationId: 'readSelf',
  tags,
  security: tokenItself,
  summary: 'What this token is',
  description: 'The one address at which an app token is taken here. Asking is a use of the token.',
  responses: readAnswers,
});

const revokeRoute = createRoute({
  method: 'delete',
  path: '/v1/self',
  operationId: 'revokeSelf',
  tags,
  security: tokenItself,
  summary: 'Revoke this token',
  description:
    'For good: a client that signs out calls this. It is the only thing that a token can do to itself.',
  responses: revokeAnswers,
});

/** What an app token may ask for: who it is, and to be revoked. */
export function addSelfRoutes(api: ApiRouter, deps: SelfDeps): void {
  const challenge = createChallenge(true);

  /** The token that asks, or the answer to whatever else does. */
  async function presented(c: ApiContext): Promise<OwnedToken | Response> {
    const authorization = c.req.header('Authorization');
    if (authorization === undefined) return answerUnauthenticated(c, challenge.unauthenticated);
    if (readSessionSecret(asWeb(c)) !== null) return answerProblem(c, 'two_credentials');
    const read = readAuthorization(authorization);
    if ('kind' in read) return answerProblem(c, 'malformed_credential');
    const tokenId = await verified(c, read);
    if (tokenId instanceof Response) return tokenId;
    const owned = await deps.tokenStore.get(tokenId);
    return owned ?? answerUnauthenticated(c, challenge.invalidToken);
  }

  async function verified(c: ApiContext, { credential }: Authorization): Promise<TokenId | Response> {
    if (credential === null) return answerUnauthenticated(c, challenge.unauthenticated);
    const { address: clientAddress, userAgent: client } = c.get('visit');
    const verdict = await deps.verifier.verify(credential, { clientAddress, client, mainPassword: false });
    if (verdict.kind === 'verified') {
      return verdict.principal.tokenId ?? answerUnauthenticated(c, challenge.unauthenticated);
    }
    const waitMs = deps.guesses.refused(credential, clientAddress, verdict.reason);
    if (waitMs > 0) return answerProblem(c, 'too_many_failures', { retryAfterMs: waitMs });
    return answerUnauthenticated(
      c,
      credential.channel === 'basic' ? challenge.unauthenticated : challenge.invalidToken,
    );
  }

  api.openapi(readRoute, async (c) => {
    const owned = await presented(c);
    return owned instanceof Response ? owned : c.json(selfBody(owned, deps.clock.now()));
  });
  api.openapi(revokeRoute, async (c) => {
    const owned = await presented(c);
    if (owned instanceof Response) return owned;
    const actor = { name: `token:${owned.token.id}`, address: c.get('visit').address };
    await deps.lifecycle.revoke(actor, [owned.token.id], 'by itself');
    return c.body(null, 204);
  });
}

function selfBody({ token, owner }: OwnedToken, now: number): object {
  return {
    id: token.id,
    name: token.name,
    prefix: token.prefix,
    user: { id: owner.id, name: owner.name },
    scopes: [...token.scopes],
    createdAt: momentText(token.createdAt),
    expiresAt: momentTextOrNull(endOf(token, now)),
  } satisfies z.input<typeof selfShape>;
}

/** This use moves the end of a sliding token; the store is told of it later. */
function endOf({ expiresAt, slidingMs, until }: OwnedToken['token'], now: number): number | null {
  return slidingMs === null ? expiresAt : Math.min(now + slidingMs, until ?? Number.POSITIVE_INFINITY);
}
