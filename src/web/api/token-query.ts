import { z } from '@hono/zod-openapi';
import type { UserId } from '../../core/ids.ts';
import type { TokenQuery } from '../../tokens/token-store.ts';
import type { UserReference } from './caller.ts';
import { pageParameters } from './paging.ts';
import { given, givenId, type QuerySchema } from './schema-parts.ts';

const orders = ['created', 'name', 'used', 'expires'] as const satisfies readonly TokenQuery['order'][];
const backwards = orders.map((order) => `-${order}` as const);

/** A user's id, or `me`. */
export const userReference: z.ZodType<UserReference> = z
  .union([z.literal('me'), givenId<UserId>()], { error: 'must be an id: a UUID, or me' })
  .openapi({ type: 'string' });

/** Which tokens a list shows; `user` is still to be resolved. */
export interface TokenListQuery {
  readonly user: UserReference | null;
  readonly query: TokenQuery;
}

/** The query string of the list of tokens. */
export const tokenListQuery: QuerySchema<TokenListQuery> = z
  .strictObject({
    user: userReference.optional().openapi({
      description:
        'Only tokens of this user; `me`: whoever is signed in. Left out: all that the caller may see.',
    }),
    q: z.string().max(200).optional().openapi({
      description: 'Part of the name or of the client last seen, or the beginning of the prefix.',
    }),
    state: z
      .enum(['active', 'off', 'expired', 'revoked'])
      .optional()
      .openapi({ description: 'Left out: all but revoked ones.' }),
    order: z
      .enum([...orders, ...backwards])
      .default('-created')
      .openapi({ description: 'With a minus: the other way round.' }),
    ...pageParameters,
  })
  .transform(({ user, q, order, ...rest }) => ({
    user: user ?? null,
    query: {
      ...given({ ...rest, text: q }),
      limit: rest.limit,
      order: orders.find((name) => order.endsWith(name)) ?? 'created',
      descending: order.startsWith('-'),
    },
  }));
