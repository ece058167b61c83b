import { z } from '@hono/zod-openapi';
import { parseScope, scopesMax } from '../../core/scope.ts';
import type { KeptPolicy, TokenPolicy } from '../../tokens/policy.ts';
import { givenSeconds, moment, momentTextOrNull, secondsOrNull } from './schema-parts.ts';

const descriptions = {
  lifeSecondsMax: 'Longest life of a token, whole seconds; null: no limit.',
  expiryRequired: 'A token without any end is refused.',
  scopes: 'Every scope of a token must lie within one of these; `{user}` is its owner. Null: any scope.',
  startsEnabled: 'False: new tokens are off until their owner switches them on.',
  everybodyMayHaveTokens: 'Whether users may have tokens about whom no admin has decided otherwise.',
};

const policyShape = z
  .strictObject({
    lifeSecondsMax: z.int().nullable().openapi({ description: descriptions.lifeSecondsMax }),
    expiryRequired: z.boolean().openapi({ description: descriptions.expiryRequired }),
    scopes: z.array(z.string()).nullable().openapi({ description: descriptions.scopes }),
    startsEnabled: z.boolean().openapi({ description: descriptions.startsEnabled }),
    everybodyMayHaveTokens: z.boolean().openapi({ description: descriptions.everybodyMayHaveTokens }),
  })
  .openapi('Policy');

/** What tokens are held to, in an answer. */
export const policySchema: z.ZodType = policyShape;

/** See `policySchema`. */
export function policyBody(policy: TokenPolicy): object {
  const { expiryRequired, startsEnabled, everybodyMayHaveTokens } = policy;
  return {
    lifeSecondsMax: secondsOrNull(policy.lifeMsMax),
    expiryRequired,
    scopes: policy.scopes === null ? null : [...policy.scopes],
    startsEnabled,
    everybodyMayHaveTokens,
  } satisfies z.input<typeof policyShape>;
}

const keptPolicyShape = z
  .strictObject({
    policy: policyShape,
    version: z.int().openapi({ description: '0 where none was ever made; also the ETag.' }),
    changedAt: moment.nullable(),
    changedBy: z.string().nullable(),
  })
  .openapi('KeptPolicy');

/** The policy with its version, in an answer. */
export const keptPolicySchema: z.ZodType = keptPolicyShape;

/** See `keptPolicySchema`. */
export function keptPolicyBody({ policy, version, changedAt, changedBy }: KeptPolicy): object {
  return { policy: policyBody(policy), version, changedAt: momentTextOrNull(changedAt), changedBy };
}

const scope = z.string().refine((text) => !('detail' in parseScope(text)), {
  error: 'must be *, path:/folder/{user}/:rw, node:ID:rw or route:NAME:rw (or :r, :w)',
});

/** The body that replaces the policy. */
export const newPolicySchema: z.ZodType<TokenPolicy> = z
  .strictObject({
    lifeSecondsMax: givenSeconds.nullable().openapi({ description: descriptions.lifeSecondsMax }),
    expiryRequired: z.boolean().openapi({ description: descriptions.expiryRequired }),
    scopes: z.array(scope).min(1).max(scopesMax).nullable().openapi({ description: descriptions.scopes }),
    startsEnabled: z.boolean().openapi({ description: descriptions.startsEnabled }),
    everybodyMayHaveTokens: z.boolean().openapi({ description: descriptions.everybodyMayHaveTokens }),
  })
  .openapi('NewPolicy')
  .transform(({ lifeSecondsMax, ...rest }) => ({ ...rest, lifeMsMax: lifeSecondsMax }));
