import { createRoute, z } from '@hono/zod-openapi';
import { sitePath } from '../../core/site-path.ts';
import type { Caller, Person } from '../../management/caller.ts';
import type { PeopleManagement } from '../../management/people.ts';
import { isRefused } from '../../management/refused.ts';
import type { SignIn } from '../../management/sign-in.ts';
import type { TokenManagement } from '../../management/tokens.ts';
import { clearSessionCookie } from '../session-cookie.ts';
import { type ApiContext, type ApiRouter, asWeb } from './api-context.ts';
import { setVersion } from './conditional.ts';
import { policyBody, policySchema } from './policy-schema.ts';
import { answerProblem, answerRefusal } from './problem.ts';
import { answers, jsonBody } from './responses.ts';
import { moment, momentTextOrNull } from './schema-parts.ts';
import { anyReader, personOnly } from './security.ts';
import { keyBody, keySchema, sessionBody, sessionSchema } from './session-schema.ts';
import { ownLanguageSchema, ownPasswordSchema, userBody, userSchema } from './user-schema.ts';

/** What these routes need. */
export interface SessionDeps {
  readonly signIn: Pick<SignIn, 'confirm' | 'confirmationWay' | 'signOut'>;
  readonly people: PeopleManagement;
  readonly tokens: Pick<TokenManagement, 'policyFor'>;
  /** For how long a confirmation counts. */
  readonly confirmationMs: number;
}

const tags = ['Who asks'];

const policy = policySchema.openapi({ description: 'What new settings of tokens are held to.' });

const personSchema = z
  .strictObject({
    kind: z.literal('person'),
    user: userSchema,
    session: sessionSchema,
    confirmedUntil: moment
      .nullable()
      .openapi({ description: 'Until when changes need no further confirmation; null: they need one now.' }),
    confirmation: z
      .enum(['password', 'redirect'])
      .openapi({ description: 'How this person confirms: with the password here, or at the provider.' }),
    csrfToken: z.string().openapi({ description: 'What goes into X-CSRF-Token.' }),
    mayHaveTokens: z.boolean(),
    policy,
  })
  .openapi('PersonAsks');

const keyAsksSchema = z.strictObject({ kind: z.literal('key'), key: keySchema, policy }).openapi('KeyAsks');

const whoSchema = z.discriminatedUnion('kind', [personSchema, keyAsksSchema]).openapi('WhoAsks');

const whoRoute = createRoute({
  method: 'get',
  path: '/v1/session',
  operationId: 'readWhoAsks',
  tags,
  security: anyReader,
  summary: 'Who am I, and what may I do',
  responses: answers({ status: 200, description: 'Who asks.', schema: whoSchema }),
});

const confirmRoute = createRoute({
  method: 'post',
  path: '/v1/session/confirm',
  operationId: 'confirm',
  tags,
  security: personOnly,
  summary: 'Confirm with the password',
  description:
    'Wrong passwords are counted as at sign-in. Who signs in at a provider confirms there, on the pages.',
  request: {
    body: jsonBody(
      z
        .strictObject({ password: z.string().min(1).max(1_024).openapi({ format: 'password' }) })
        .openapi('Confirmation'),
    ),
  },
  responses: answers(
    { status: 200, description: 'Who asks, confirmed.', schema: whoSchema },
    ...(['sign_in_refused', 'throttled', 'conflict'] as const),
    ...(['bad_fields', 'malformed_body', 'unsupported_type'] as const),
  ),
});

const signOutRoute = createRoute({
  method: 'delete',
  path: '/v1/session',
  operationId: 'signOut',
  tags,
  security: personOnly,
  summary: 'Sign out',
  responses: answers(
    {
      status: 200,
      description: 'The session has ended.',
      schema: z
        .strictObject({
          continueAt: z
            .string()
            .nullable()
            .openapi({ description: 'Where the browser signs out at the provider too.' }),
        })
        .openapi('SignedOut'),
    },
    'bad_precondition',
  ),
});

const passwordRoute = createRoute({
  method: 'put',
  path: '/v1/account/password',
  operationId: 'changeOwnPassword',
  tags,
  security: personOnly,
  summary: 'Change one’s own password',
  description: 'Ends all other sessions.',
  request: { body: jsonBody(ownPasswordSchema) },
  responses: answers(
    { status: 200, description: 'The user.', schema: userSchema },
    ...(['confirmation_needed', 'wrong_password', 'throttled', 'bad_password', 'conflict'] as const),
    ...(['bad_fields', 'malformed_body', 'unsupported_type', 'bad_precondition'] as const),
  ),
});

const languageRoute = createRoute({
  method: 'put',
  path: '/v1/account/language',
  operationId: 'changeOwnLanguage',
  tags,
  security: personOnly,
  summary: 'Change one’s own language',
  description: 'Of pages and mails.',
  request: { body: jsonBody(ownLanguageSchema) },
  responses: answers(
    { status: 200, description: 'The user.', schema: userSchema },
    ...(['bad_fields', 'malformed_body', 'unsupported_type', 'bad_precondition'] as const),
  ),
});

/** Who asks: shown, confirmed, signed out, its own password and language. */
export function addSessionRoutes(api: ApiRouter, deps: SessionDeps): void {
  const { people, signIn } = deps;
  api.openapi(whoRoute, async (c) => c.json(await whoBody(c, deps, c.get('caller'))));
  api.openapi(confirmRoute, async (c) => {
    const caller = c.get('caller');
    if (caller.kind === 'key') return answerProblem(c, 'not_allowed');
    if (signIn.confirmationWay(caller) === 'redirect') return answerProblem(c, 'conflict');
    const confirmed = await signIn.confirm(caller, c.req.valid('json').password);
    if (confirmed.kind === 'refused') return answerRefusal(c, confirmed);
    return c.json(await whoBody(c, deps, confirmed));
  });
  api.openapi(signOutRoute, async (c) => {
    const caller = c.get('caller');
    if (caller.kind === 'key') return answerProblem(c, 'not_allowed');
    const continueAt = await signIn.signOut(caller, `${c.get('visit').origin}${sitePath}/`);
    clearSessionCookie(asWeb(c));
    return c.json({ continueAt });
  });
  api.openapi(passwordRoute, async (c) => {
    const { current, password } = c.req.valid('json');
    const user = await people.changeOwnPassword(c.get('caller'), current, password);
    if (isRefused(user)) return answerRefusal(c, user);
    setVersion(c, user.version);
    return c.json(userBody(user));
  });
  api.openapi(languageRoute, async (c) => {
    const user = await people.setOwnLanguage(c.get('caller'), c.req.valid('json').language);
    if (isRefused(user)) return answerRefusal(c, user);
    setVersion(c, user.version);
    return c.json(userBody(user));
  });
}

async function whoBody(c: ApiContext, deps: SessionDeps, caller: Caller): Promise<object> {
  const { policy: kept, mayHaveTokens } = await deps.tokens.policyFor(caller);
  const shown = policyBody(kept);
  if (caller.kind === 'key') return { kind: 'key', key: keyBody(caller.key), policy: shown };
  return { kind: 'person', ...personBody(c, deps, caller), mayHaveTokens, policy: shown };
}

function personBody(c: ApiContext, { signIn, confirmationMs }: SessionDeps, person: Person): object {
  const { user, session, isConfirmed } = person;
  const until = session.confirmedAt === null || !isConfirmed ? null : session.confirmedAt + confirmationMs;
  return {
    user: userBody({ ...user, hasPassword: user.passwordHash !== null }),
    session: sessionBody({ ...session, isCurrent: true }),
    confirmedUntil: momentTextOrNull(until),
    confirmation: signIn.confirmationWay(person),
    csrfToken: c.get('csrf'),
  };
}
