import { z } from '@hono/zod-openapi';
import type { Language, Role, UserQuery } from '../../identity/user-store.ts';
import type { NewUser, ShownUser, UserChanges } from '../../management/people.ts';
import { pageParameters } from './paging.ts';
import { given, id, moment, momentText, momentTextOrNull, type QuerySchema } from './schema-parts.ts';

const roles = ['user', 'admin'] as const satisfies readonly Role[];
const languages = ['en', 'de'] as const satisfies readonly Language[];

const userShape = z
  .strictObject({
    id,
    name: z.string().openapi({ description: 'The login name.' }),
    displayName: z.string().nullable(),
    email: z.string().nullable().openapi({ description: 'Where expiry warnings go.' }),
    language: z.enum(languages).nullable(),
    role: z.enum(roles),
    source: z
      .string()
      .openapi({ description: '`local`, or the configured source that vouches for this user.' }),
    subject: z.string().nullable().openapi({ description: 'What the source calls this user.' }),
    hasPassword: z.boolean(),
    disabled: z.boolean().openapi({ description: 'Shut out by an admin.' }),
    lapsed: z.boolean().openapi({ description: 'Shut out by the source.' }),
    mayHaveTokens: z.boolean().nullable().openapi({ description: 'Null: as the policy says.' }),
    createdAt: moment,
    signedInAt: moment.nullable(),
    version: z.int().openapi({ description: 'Also the ETag.' }),
  })
  .openapi('User');

/** A user in an answer. */
export const userSchema: z.ZodType = userShape;

/** A user just made, or given a link. */
export const madeUserSchema: z.ZodType = z
  .strictObject({
    user: userShape,
    passwordLink: z.string().nullable().openapi({
      description:
        'The address at which the person chooses a password: once, within a day. Null where one was given.',
    }),
  })
  .openapi('MadeUser');

/** See `userSchema`. */
export function userBody(user: Omit<ShownUser, 'sourceCheckedAt'>): object {
  return {
    id: user.id,
    name: user.name,
    displayName: user.displayName,
    email: user.email,
    language: user.language,
    role: user.role,
    source: user.source,
    subject: user.subject,
    hasPassword: user.hasPassword,
    disabled: user.disabled,
    lapsed: user.lapsed,
    mayHaveTokens: user.mayHaveTokens,
    createdAt: momentText(user.createdAt),
    signedInAt: momentTextOrNull(user.signedInAt),
    version: user.version,
  } satisfies z.input<typeof userShape>;
}

const displayName = z.string().min(1).max(200);
const email = z.string().min(3).max(254);
const password = z.string().min(1).max(1_024).openapi({ format: 'password' });

/** The body that makes a local user. */
export const newUserSchema: z.ZodType<NewUser> = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(255)
      .openapi({ examples: ['alice'] }),
    displayName: displayName.nullable().optional(),
    email: email.nullable().optional(),
    role: z.enum(roles).optional(),
    password: password
      .nullable()
      .optional()
      .openapi({ description: 'Left out: the answer holds a link by which the person chooses one.' }),
  })
  .openapi('NewUser')
  .transform((user) => ({ ...given(user), name: user.name, password: user.password ?? null }));

/** The body that changes a user: what is left out stays. */
export const userChangesSchema: z.ZodType<UserChanges> = z
  .strictObject({
    displayName: displayName.nullable().optional(),
    email: email.nullable().optional(),
    role: z.enum(roles).optional(),
    disabled: z.boolean().optional(),
    mayHaveTokens: z.boolean().nullable().optional(),
  })
  .openapi('UserChanges')
  .transform((changes) => given(changes));

/** The body that changes one's own password. */
export const ownPasswordSchema: z.ZodType<{ readonly current: string; readonly password: string }> = z
  .strictObject({ current: password, password })
  .openapi('OwnPassword');

/** The body that changes one's own language. */
export const ownLanguageSchema: z.ZodType<{ readonly language: Language }> = z
  .strictObject({ language: z.enum(languages) })
  .openapi('OwnLanguage');

/** The query string of the list of users. */
export const userListQuery: QuerySchema<UserQuery> = z
  .strictObject({
    q: z
      .string()
      .max(200)
      .optional()
      .openapi({ description: 'Part of login name, display name or mail address.' }),
    source: z.string().max(200).optional(),
    role: z.enum(roles).optional(),
    shutOut: z
      .enum(['true', 'false'])
      .optional()
      .openapi({ description: 'Only those shut out by an admin or their source, or only others.' }),
    ...pageParameters,
  })
  .transform(({ q, shutOut, ...rest }) => ({
    ...given({ ...rest, text: q, shutOut: shutOut === undefined ? undefined : shutOut === 'true' }),
    limit: rest.limit,
  }));
