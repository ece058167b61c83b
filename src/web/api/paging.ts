import { z } from '@hono/zod-openapi';
import type { Page } from '../../core/page.ts';
import { apiPath } from '../../core/site-path.ts';
import type { ApiContext } from './api-context.ts';
import type { Success } from './responses.ts';

const limitDefault = 50;
const limitMax = 200;

/** The query parameters of every list. */
export const pageParameters: {
  readonly limit: z.ZodType<number>;
  readonly after: z.ZodType<string | undefined>;
} = {
  limit: z
    .string()
    .regex(/^(?:[1-9]\d?|1\d\d|200)$/, `must be a whole number from 1 to ${limitMax}`)
    .default(String(limitDefault))
    .transform(Number)
    .openapi({
      type: 'integer',
      minimum: 1,
      maximum: limitMax,
      default: limitDefault,
      description: 'Items on a page.',
    }),
  after: z
    .string()
    .max(2_048)
    .optional()
    .openapi({ description: '`next` of the page before, with all else the same.' }),
};

/** The success of a list, as the document tells it; `name` is that of the schema. */
export function onePage(name: string, item: z.ZodType): Success {
  return {
    status: 200,
    description: 'One page.',
    schema: pageOf(name, item),
    headers: { Link: 'The next page (RFC 8288); absent on the last.' },
  };
}

function pageOf(name: string, item: z.ZodType): z.ZodType {
  return z
    .strictObject({
      items: z.array(item),
      next: z.string().nullable().openapi({
        description: '`after` of the next page; null on the last. The Link header has it as an address.',
      }),
      total: z.int().nullable().openapi({ description: 'Items on all pages, where that is cheap to know.' }),
    })
    .openapi(name);
}

/** Answers with one page, and says where the next one is (RFC 8288). */
export function answerPage<Item>(c: ApiContext, page: Page<Item>, present: (item: Item) => object): Response {
  const { items, next, total } = page;
  if (next !== null) c.header('Link', `<${nextAddress(c, next)}>; rel="next"`);
  return c.json({ items: items.map(present), next, total });
}

function nextAddress(c: ApiContext, next: string): string {
  const { pathname, searchParams } = new URL(c.req.url);
  searchParams.set('after', next);
  const path = pathname.slice(Math.max(0, pathname.indexOf('/v1/')));
  return `${apiPath}${path}?${searchParams.toString()}`;
}
