import { z } from '@hono/zod-openapi';
import { parseCidr } from '../../config/addresses.ts';
import type { TokenId, UserId } from '../../core/ids.ts';
import { parseScope, scopesMax } from '../../core/scope.ts';
import type { FreshToken, ShownToken } from '../../management/tokens.ts';
import type { TokenState } from '../../tokens/token-lifetime.ts';
import type { TokenSettings } from '../../tokens/token-settings.ts';
import {
  given,
  givenId,
  givenMoment,
  givenSeconds,
  id,
  moment,
  momentText,
  momentTextOrNull,
  secondsOrNull,
} from './schema-parts.ts';

const stateNames = {
  active: 'active',
  disabled: 'off',
  expired: 'expired',
  'not yet valid': 'not_yet_valid',
  revoked: 'revoked',
  'user disabled': 'owner_shut_out',
} as const satisfies Readonly<Record<TokenState, string>>;

const settingDescriptions = {
  expiresAt: 'When the token ends; null: never. A sliding token ends by slidingSeconds and until instead.',
  slidingSeconds: 'The token ends this long after its last use, whole seconds; at least 300.',
  until: 'Absolute end of a sliding token.',
  notBefore: 'The token does not count before this moment.',
  networks: 'Addresses or CIDR blocks it may come from; empty: anywhere.',
  deleteUnusedSeconds: 'Unused for this long, it is revoked; whole seconds, at least 3600.',
};

const tokenShape = z
  .strictObject({
    id,
    owner: z.strictObject({ id, name: z.string() }),
    name: z.string(),
    prefix: z.string().openapi({ description: 'The first characters of the value, to recognise it by.' }),
    state: z
      .enum(Object.values(stateNames))
      .openapi({ description: 'The first reason why it would be refused now, or active.' }),
    enabled: z.boolean(),
    scopes: z.array(z.string()),
    createdAt: moment,
    createdBy: z.string(),
    createdFrom: z.string().nullable(),
    expiresAt: moment.nullable(),
    slidingSeconds: z.int().nullable(),
    until: moment.nullable(),
    notBefore: moment.nullable(),
    networks: z.array(z.string()),
    deleteUnusedSeconds: z.int().nullable(),
    lastUse: z
      .strictObject({ at: moment, address: z.string().nullable(), client: z.string().nullable() })
      .nullable()
      .openapi({ description: 'Written at most once a minute; does not change the version.' }),
    revocation: z
      .strictObject({ at: moment, by: z.string().nullable(), why: z.string().nullable() })
      .nullable(),
    version: z.int().openapi({ description: 'Of its settings; also the ETag.' }),
  })
  .openapi('Token');

/** A token in an answer. */
export const tokenSchema: z.ZodType = tokenShape;

const freshTokenShape = z
  .strictObject({
    token: tokenShape,
    value: z.string().openapi({ description: 'The token itself. It can be read this once.' }),
  })
  .openapi('FreshToken');

/** A token just made, with its value. */
export const freshTokenSchema: z.ZodType = freshTokenShape;

/** See `tokenSchema`. */
export function tokenBody(token: ShownToken): object {
  const { lastUsedAt, revokedAt } = token;
  return {
    id: token.id,
    owner: { id: token.userId, name: token.ownerName },
    name: token.name,
    prefix: token.prefix,
    state: stateNames[token.state],
    enabled: token.enabled,
    scopes: [...token.scopes],
    createdAt: momentText(token.createdAt),
    createdBy: token.createdBy,
    createdFrom: token.createdFrom,
    expiresAt: momentTextOrNull(token.expiresAt),
    slidingSeconds: secondsOrNull(token.slidingMs),
    until: momentTextOrNull(token.until),
    notBefore: momentTextOrNull(token.notBefore),
    networks: [...token.networks],
    deleteUnusedSeconds: secondsOrNull(token.deleteUnusedMs),
    lastUse:
      lastUsedAt === null
        ? null
        : { at: momentText(lastUsedAt), address: token.lastUsedAddress, client: token.lastUsedClient },
    revocation:
      revokedAt === null ? null : { at: momentText(revokedAt), by: token.revokedBy, why: token.revokedWhy },
    version: token.version,
  } satisfies z.input<typeof tokenShape>;
}

/** See `freshTokenSchema`. */
export function freshTokenBody({ token, value }: FreshToken): object {
  return { token: tokenBody(token), value };
}

const scope = z
  .string()
  .refine((text) => !('detail' in parseScope(text)), {
    error: 'must be *, path:/folder/:rw, node:ID:rw or route:NAME:rw (or :r, :w)',
  })
  .openapi({ examples: ['path:/dav/Photos/:r'] });

const network = z
  .string()
  .max(64)
  .refine((text) => !('wrong' in parseCidr(text)), { error: 'must be an address or a CIDR block' })
  .openapi({ examples: ['192.0.2.0/24'] });

const settingFields = {
  name: z
    .string()
    .min(1)
    .max(240)
    .openapi({ examples: ['phone'] }),
  scopes: z.array(scope).min(1).max(scopesMax),
  expiresAt: givenMoment.nullable().optional().openapi({ description: settingDescriptions.expiresAt }),
  slidingSeconds: givenSeconds
    .nullable()
    .optional()
    .openapi({ description: settingDescriptions.slidingSeconds }),
  until: givenMoment.nullable().optional().openapi({ description: settingDescriptions.until }),
  notBefore: givenMoment.nullable().optional().openapi({ description: settingDescriptions.notBefore }),
  networks: z.array(network).max(64).optional().openapi({ description: settingDescriptions.networks }),
  deleteUnusedSeconds: givenSeconds
    .nullable()
    .optional()
    .openapi({ description: settingDescriptions.deleteUnusedSeconds }),
};

const optionalSettingFields = {
  ...settingFields,
  name: settingFields.name.optional(),
  scopes: settingFields.scopes.optional(),
};

interface GivenSettings {
  readonly name?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly expiresAt?: number | null | undefined;
  readonly slidingSeconds?: number | null | undefined;
  readonly until?: number | null | undefined;
  readonly notBefore?: number | null | undefined;
  readonly networks?: readonly string[] | undefined;
  readonly deleteUnusedSeconds?: number | null | undefined;
}

function toSettings({ slidingSeconds, deleteUnusedSeconds, ...rest }: GivenSettings): TokenSettings {
  return given({ ...rest, slidingMs: slidingSeconds, deleteUnusedMs: deleteUnusedSeconds });
}

/** What a new token is made from. */
export interface TokenOrder {
  /** Whom it speaks for; null: whoever asks. */
  readonly ownerId: UserId | null;
  readonly settings: TokenSettings;
}

/** The body that makes a token. */
export const newTokenSchema: z.ZodType<TokenOrder> = z
  .strictObject({
    owner: givenId<UserId>().optional().openapi({
      description: 'Whose token it becomes; left out: that of the person signed in. Keys must say it.',
    }),
    ...settingFields,
  })
  .openapi('NewToken')
  .transform(({ owner, ...settings }) => ({ ownerId: owner ?? null, settings: toSettings(settings) }));

/** The body that edits a token, or changes what is copied: what is left out stays. */
export const tokenChangesSchema: z.ZodType<TokenSettings> = z
  .strictObject(optionalSettingFields)
  .openapi('TokenChanges')
  .transform(toSettings);

/** The body that gives a token a new value. */
export const regenerationSchema: z.ZodType<{ readonly expiresAt?: number | null }> = z
  .strictObject({
    expiresAt: givenMoment
      .nullable()
      .optional()
      .openapi({ description: 'A new end; needed where the old one has passed.' }),
  })
  .openapi('Regeneration')
  .transform((body) => given(body));

/** The body that revokes several. */
export const revocationSchema: z.ZodType<{ readonly ids: readonly TokenId[]; readonly why?: string }> = z
  .strictObject({
    ids: z.array(givenId<TokenId>()).min(1).max(1_000),
    why: z
      .string()
      .min(1)
      .max(200)
      .optional()
      .openapi({ description: 'For the audit trail and the list of tokens.' }),
  })
  .openapi('Revocation')
  .transform(({ ids, why }) => ({ ids, ...given({ why }) }));
