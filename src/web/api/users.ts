import { createRoute, z } from '@hono/zod-openapi';
import type { UserId } from '../../core/ids.ts';
import { apiPath, sitePath } from '../../core/site-path.ts';
import type { PeopleManagement, ShownUser } from '../../management/people.ts';
import { isRefused } from '../../management/refused.ts';
import type { ApiContext, ApiRouter } from './api-context.ts';
import { userMeant } from './caller.ts';
import { readPrecondition, setVersion } from './conditional.ts';
import { answerPage, onePage } from './paging.ts';
import { answerProblem, answerRefusal } from './problem.ts';
import { answerOnce, type Made, type RepeatableDeps } from './repeatable.ts';
import { answers, idempotencyKey, ifMatch, jsonBody } from './responses.ts';
import { anyReader, changers, readers } from './security.ts';
import { userReference } from './token-query.ts';
import {
  madeUserSchema,
  newUserSchema,
  userBody,
  userChangesSchema,
  userListQuery,
  userSchema,
} from './user-schema.ts';

/** What these routes need. */
export interface UserDeps extends RepeatableDeps {
  readonly people: PeopleManagement;
}

const tags = ['Users'];
const params = z.strictObject({ user: userReference });
const one = {
  status: 200,
  description: 'The user.',
  schema: userSchema,
  headers: { ETag: 'The version of the user.' },
} as const;
const bodyProblems = [
  'bad_fields',
  'malformed_body',
  'unsupported_type',
  'bad_display_name',
  'bad_email',
] as const;

const listRoute = createRoute({
  method: 'get',
  path: '/v1/users',
  operationId: 'listUsers',
  tags,
  security: readers('users'),
  summary: 'List users',
  description: 'In the order of their names.',
  request: { query: userListQuery },
  responses: answers(onePage('UserPage', userSchema), 'bad_parameters'),
});

const createUserRoute = createRoute({
  method: 'post',
  path: '/v1/users',
  operationId: 'makeUser',
  tags,
  security: changers('users'),
  summary: 'Make a local user',
  parameters: [idempotencyKey],
  request: { body: jsonBody(newUserSchema) },
  responses: answers(
    {
      ...one,
      status: 201,
      schema: madeUserSchema,
      headers: { ...one.headers, Location: 'Where the user can be read.' },
    },
    ...bodyProblems,
    ...(['confirmation_needed', 'name_taken', 'bad_name', 'bad_password'] as const),
    ...(['bad_key', 'key_reused', 'request_running'] as const),
  ),
});

const getRoute = createRoute({
  method: 'get',
  path: '/v1/users/{user}',
  operationId: 'readUser',
  tags,
  security: anyReader,
  summary: 'Read a user',
  request: { params },
  responses: answers(one, 'not_found'),
});

const changeRoute = createRoute({
  method: 'patch',
  path: '/v1/users/{user}',
  operationId: 'changeUser',
  tags,
  security: changers('users'),
  summary: 'Change a user',
  description: 'Who is disabled is shut out at once: tokens, sessions and password.',
  parameters: [ifMatch],
  request: { params, body: jsonBody(userChangesSchema) },
  responses: answers(
    one,
    ...bodyProblems,
    ...(['not_found', 'stale', 'bad_precondition', 'conflict', 'confirmation_needed'] as const),
  ),
});

const removeRoute = createRoute({
  method: 'delete',
  path: '/v1/users/{user}',
  operationId: 'removeUser',
  tags,
  security: changers('users'),
  summary: 'Remove a user',
  description: 'Ends the sessions and revokes the tokens of this user.',
  request: { params },
  responses: answers(
    { ...one, description: 'The user as it was.' },
    ...(['not_found', 'bad_precondition', 'conflict', 'confirmation_needed'] as const),
  ),
});

const linkRoute = createRoute({
  method: 'post',
  path: '/v1/users/{user}/password-link',
  operationId: 'makePasswordLink',
  tags,
  security: changers('users'),
  summary: 'Make a link to choose a password',
  description: 'For a local user; good once, within a day.',
  request: { params },
  responses: answers(
    {
      status: 201,
      description: 'The link.',
      schema: z.strictObject({ passwordLink: z.string() }).openapi('PasswordLink'),
    },
    ...(['not_found', 'conflict', 'confirmation_needed'] as const),
  ),
});

/** Lists, makes, changes and removes users. */
export function addUserRoutes(api: ApiRouter, deps: UserDeps): void {
  const { people } = deps;
  api.openapi(listRoute, async (c) => {
    const page = await people.list(c.get('caller'), c.req.valid('query'));
    return isRefused(page) ? answerRefusal(c, page) : answerPage(c, page, userBody);
  });
  api.openapi(createUserRoute, async (c) => {
    const user = c.req.valid('json');
    return answerOnce(c, deps, {
      request: [user],
      run: async () => {
        const made = await people.create(c.get('caller'), user);
        return isRefused(made) ? made : toMade(c, made);
      },
      recall: (body) => people.get(c.get('caller'), (body as { user: { id: UserId } }).user.id),
    });
  });
  api.openapi(getRoute, async (c) => {
    const id = userMeant(c, c.req.valid('param').user);
    if (id === null) return answerProblem(c, 'not_found');
    const user = await people.get(c.get('caller'), id);
    return isRefused(user) ? answerRefusal(c, user) : answerUser(c, user);
  });
  api.openapi(changeRoute, async (c) => {
    const id = userMeant(c, c.req.valid('param').user);
    if (id === null) return answerProblem(c, 'not_found');
    const precondition = readPrecondition(c);
    if (precondition.kind === 'problem') return answerProblem(c, precondition.code);
    const user = await people.change(c.get('caller'), id, c.req.valid('json'), precondition.version);
    return isRefused(user) ? answerRefusal(c, user) : answerUser(c, user);
  });
  api.openapi(removeRoute, async (c) => {
    const id = userMeant(c, c.req.valid('param').user);
    if (id === null) return answerProblem(c, 'not_found');
    const user = await people.remove(c.get('caller'), id);
    return isRefused(user) ? answerRefusal(c, user) : answerUser(c, user);
  });
  api.openapi(linkRoute, async (c) => {
    const id = userMeant(c, c.req.valid('param').user);
    if (id === null) return answerProblem(c, 'not_found');
    const link = await people.passwordLink(c.get('caller'), id);
    return isRefused(link)
      ? answerRefusal(c, link)
      : c.json({ passwordLink: linkAddress(c, link.secret) }, 201);
  });
}

function answerUser(c: ApiContext, user: ShownUser): Response {
  setVersion(c, user.version);
  return c.json(userBody(user));
}

function toMade(
  c: ApiContext,
  { user, passwordLink }: { readonly user: ShownUser; readonly passwordLink: string | null },
): Made {
  const headers = { ETag: `"${user.version}"`, Location: `${apiPath}/v1/users/${user.id}` };
  const link = passwordLink === null ? null : linkAddress(c, passwordLink);
  return { status: 201, headers, body: { user: userBody(user), passwordLink: link } };
}

function linkAddress(c: ApiContext, secret: string): string {
  return `${c.get('visit').origin}${sitePath}/password/${secret}`;
}
