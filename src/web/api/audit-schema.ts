import { z } from '@hono/zod-openapi';
import type { TokenId } from '../../core/ids.ts';
import type { ShownEvent } from '../../management/audit.ts';
import type { AuditQuery } from '../../tokens/token-store.ts';
import type { UserReference } from './caller.ts';
import { pageParameters } from './paging.ts';
import { given, givenId, givenMoment, id, moment, momentText, type QuerySchema } from './schema-parts.ts';
import { userReference } from './token-query.ts';

const eventShape = z
  .strictObject({
    at: moment,
    action: z.string().openapi({ examples: ['token.create'] }),
    actor: z.string().openapi({ description: 'Who did it.' }),
    user: z
      .strictObject({ id, name: z.string().nullable() })
      .nullable()
      .openapi({ description: 'Whom it concerns.' }),
    tokenId: id.nullable(),
    details: z.record(z.string(), z.unknown()).openapi({ description: 'Plain facts, without secrets.' }),
  })
  .openapi('AuditEvent');

/** An audit event in an answer. */
export const eventSchema: z.ZodType = eventShape;

/** See `eventSchema`. */
export function eventBody({ at, action, actor, userId, userName, tokenId, details }: ShownEvent): object {
  return {
    at: momentText(at),
    action,
    actor,
    user: userId === null ? null : { id: userId, name: userName },
    tokenId,
    details: Object.fromEntries(Object.entries(details).map(([name, value]) => fact(name, value))),
  } satisfies z.input<typeof eventShape>;
}

/** Moments and durations are written as everywhere in the API. */
function fact(name: string, value: unknown): readonly [string, unknown] {
  if (typeof value !== 'number') return [name, value];
  if (/At$|^until$|^notBefore$/.test(name)) return [name, momentText(value)];
  return name.endsWith('Ms') ? [`${name.slice(0, -2)}Seconds`, Math.round(value / 1_000)] : [name, value];
}

/** Which events a list shows; `user` is still to be resolved. */
export interface EventListQuery {
  readonly user: UserReference | null;
  readonly query: AuditQuery;
}

const filters = {
  user: userReference.optional().openapi({ description: 'Whom it concerns: an id, or `me`.' }),
  token: givenId<TokenId>().optional(),
  action: z
    .string()
    .max(100)
    .optional()
    .openapi({ description: 'An action, or the beginning of several with its dot: `token.`' }),
  actor: z.string().max(300).optional(),
  from: givenMoment.optional().openapi({ description: 'From this moment on.' }),
  before: givenMoment.optional().openapi({ description: 'Before this moment.' }),
};

/** The query string of the list of events. */
export const eventListQuery: QuerySchema<EventListQuery> = z
  .strictObject({ ...filters, ...pageParameters })
  .transform(({ user, token, ...rest }) => ({
    user: user ?? null,
    query: { ...given({ ...rest, tokenId: token }), limit: rest.limit },
  }));

/** The query string of the export. */
export const eventExportQuery: QuerySchema<EventListQuery> = z
  .strictObject(filters)
  .transform(({ user, token, ...rest }) => ({
    user: user ?? null,
    query: { ...given({ ...rest, tokenId: token }), limit: 200 },
  }));
