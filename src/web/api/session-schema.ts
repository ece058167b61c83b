import { z } from '@hono/zod-openapi';
import { type AdminKeyRecord, adminKeyScopes } from '../../identity/admin-key-store.ts';
import type { ShownSession } from '../../management/sessions.ts';
import { id, moment, momentText, momentTextOrNull } from './schema-parts.ts';

const sessionShape = z
  .strictObject({
    id,
    source: z.string(),
    createdAt: moment,
    seenAt: moment.openapi({ description: 'Written at most once a minute.' }),
    endsAt: moment,
    confirmedAt: moment.nullable(),
    address: z.string(),
    client: z.string().nullable(),
    isCurrent: z.boolean().openapi({ description: 'The one that asks.' }),
  })
  .openapi('Session');

/** A browser session in an answer. */
export const sessionSchema: z.ZodType = sessionShape;

/** See `sessionSchema`. */
export function sessionBody(session: Omit<ShownSession, 'userId'>): object {
  return {
    id: session.id,
    source: session.source,
    createdAt: momentText(session.createdAt),
    seenAt: momentText(session.seenAt),
    endsAt: momentText(session.endsAt),
    confirmedAt: momentTextOrNull(session.confirmedAt),
    address: session.address,
    client: session.client,
    isCurrent: session.isCurrent,
  } satisfies z.input<typeof sessionShape>;
}

const keyShape = z
  .strictObject({
    id,
    name: z.string(),
    prefix: z.string(),
    scopes: z.array(z.enum(adminKeyScopes)),
    createdAt: moment,
    createdBy: z.string(),
    expiresAt: moment.nullable(),
  })
  .openapi('AdminKey');

/** The admin key that asks. */
export const keySchema: z.ZodType = keyShape;

/** See `keySchema`. */
export function keyBody(key: AdminKeyRecord): object {
  return {
    id: key.id,
    name: key.name,
    prefix: key.prefix,
    scopes: [...key.scopes],
    createdAt: momentText(key.createdAt),
    createdBy: key.createdBy,
    expiresAt: momentTextOrNull(key.expiresAt),
  } satisfies z.input<typeof keyShape>;
}
