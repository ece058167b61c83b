import { z } from '@hono/zod-openapi';

/** A query schema that ends in what the handler wants. */
export type QuerySchema<Query> = z.ZodPipe<z.ZodObject, z.ZodType<Query>>;

/** A moment in an answer, RFC 3339 in UTC. */
export const moment: z.ZodType<string> = z.iso
  .datetime({ precision: 3 })
  .openapi({ format: 'date-time', examples: ['2030-01-31T12:00:00.000Z'] });

/** A moment in a request (RFC 3339, any offset), as epoch milliseconds. */
export const givenMoment: z.ZodType<number> = z.iso
  .datetime({ offset: true })
  .openapi({ format: 'date-time', examples: ['2030-01-31T12:00:00Z'] })
  .transform((text) => Date.parse(text));

/** A century: what is longer is no duration of ours. */
const secondsMax = 100 * 366 * 24 * 3_600;

/** A duration in a request, whole seconds, as milliseconds. */
export const givenSeconds: z.ZodType<number> = z
  .int()
  .min(1)
  .max(secondsMax)
  .openapi({ examples: [2_592_000] })
  .transform((seconds) => seconds * 1_000);

const uuidForm = /^[\dA-Fa-f]{8}(?:-[\dA-Fa-f]{4}){3}-[\dA-Fa-f]{12}$/;

/** An id in a request, in lower case. */
export function givenId<Id extends string>(): z.ZodType<Id> {
  return z
    .string()
    .regex(uuidForm, 'must be an id: a UUID')
    .openapi({ format: 'uuid' })
    .transform((text) => text.toLowerCase() as Id);
}

/** An id in an answer. */
export const id: z.ZodType<string> = z.string().openapi({ format: 'uuid' });

/** Epoch milliseconds as RFC 3339 text. */
export function momentText(atMs: number): string {
  return new Date(atMs).toISOString();
}

/** The same where there may be none. */
export function momentTextOrNull(atMs: number | null): string | null {
  return atMs === null ? null : momentText(atMs);
}

/** Milliseconds as whole seconds. */
export function secondsOrNull(ms: number | null): number | null {
  return ms === null ? null : Math.round(ms / 1_000);
}

/** The fields that were given. */
export type Given<Fields extends object> = {
  [Name in keyof Fields]?: Exclude<Fields[Name], undefined>;
};

/** Leaves out what was not given, so that it is told apart from null. */
export function given<Fields extends object>(fields: Fields): Given<Fields> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as Given<Fields>;
}
