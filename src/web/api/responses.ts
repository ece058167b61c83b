import type { RouteConfig, z } from '@hono/zod-openapi';
import type { ProblemCode } from './problem-kinds.ts';
import { problemKinds } from './problem-kinds.ts';
import { problemSchema } from './problem-schema.ts';

/** What a route may answer, as the document tells it. */
export type Responses = RouteConfig['responses'];

/** What a route answers where all goes well. */
export type Success = {
  readonly status: 200 | 201 | 204;
  readonly description: string;
  readonly schema?: z.ZodType;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Problems of every route: who asks is found out first, and the store may be out of reach. */
const always = [
  'two_credentials',
  'unauthenticated',
  'not_allowed',
] as const satisfies readonly ProblemCode[];

/** Where a body is read, it can be too large. */
const large: readonly ProblemCode[] = ['body_too_large'];

/** One success and the problems that may come instead. */
export function answers(success: Success, ...problems: readonly ProblemCode[]): Responses {
  const { status, description, schema, headers = {} } = success;
  return {
    [status]: {
      description,
      ...(Object.keys(headers).length === 0 ? {} : { headers: headerObjects(headers) }),
      ...(schema === undefined ? {} : { content: { 'application/json': { schema } } }),
    },
    ...problemResponses([...always, ...problems, ...(problems.includes('malformed_body') ? large : [])]),
    '5XX': { description: 'Something of ours is broken or busy.', content: problemContent },
  };
}

const problemContent = { 'application/problem+json': { schema: problemSchema } };

/** A description of each problem by its status. */
export function problemResponses(codes: readonly ProblemCode[]): Responses {
  const statuses = [...new Set(codes.map((code) => problemKinds[code].status))].toSorted((a, b) => a - b);
  return Object.fromEntries(
    statuses.map((status) => {
      const names = [...new Set(codes.filter((code) => problemKinds[code].status === status))];
      return [
        String(status),
        { description: names.map((name) => `\`${name}\``).join(', '), content: problemContent },
      ];
    }),
  );
}

function headerObjects(headers: Readonly<Record<string, string>>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: 'string' as const } },
    ]),
  );
}

/** The body of a request, as JSON. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema, required = true): JsonBody<Schema> {
  return { required, content: { 'application/json': { schema } } };
}

/** See `jsonBody`. */
export interface JsonBody<Schema extends z.ZodType> {
  readonly required: boolean;
  readonly content: { readonly 'application/json': { readonly schema: Schema } };
}

/** A header that a request may carry. */
export type HeaderParameter = {
  readonly name: string;
  readonly in: 'header';
  readonly required: boolean;
  readonly description: string;
  readonly schema: { type: 'string' };
};

/** The header by which an edit names the version that it was made from. */
export const ifMatch: HeaderParameter = {
  name: 'If-Match',
  in: 'header',
  required: false,
  description: 'The ETag that the edit was made from: another version is refused as `stale`.',
  schema: { type: 'string' },
};

/** The header by which a request can be sent again without being done again. */
export const idempotencyKey: HeaderParameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'With it the same request, sent again within 24 hours, gets the same answer and nothing is made twice. 16 to 255 printable ASCII characters.',
  schema: { type: 'string' },
};
