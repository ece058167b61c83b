import { createRoute, z } from '@hono/zod-openapi';
import { type BrowsableRoute, type Collections, placeOf, placesOn } from '../../management/collections.ts';
import { isRefused } from '../../management/refused.ts';
import type { ApiRouter } from './api-context.ts';
import { answerProblem, answerRefusal } from './problem.ts';
import { answers } from './responses.ts';
import { personReads } from './security.ts';

const folderShape = z
  .strictObject({
    path: z
      .string()
      .openapi({ description: 'Decoded, with a slash at its end: what a `path:` scope names.' }),
    name: z
      .string()
      .openapi({ description: 'Of the folder; of a place to begin at, the name of its route.' }),
  })
  .openapi('Folder');

const listRoute = createRoute({
  method: 'get',
  path: '/v1/folders',
  operationId: 'listFolders',
  tags: ['Folders'],
  security: personReads,
  summary: 'Look through folders',
  description:
    'The folders of the backends, as the person who is signed in sees them: for choosing what a token may reach.',
  request: {
    query: z.strictObject({
      path: z
        .string()
        .max(4_096)
        .regex(/^\/(?:.*\/)?$/su, 'must begin and end with a slash')
        .optional()
        .openapi({ description: 'A folder, decoded. Left out: where to begin.', examples: ['/dav/'] }),
    }),
  },
  responses: answers(
    {
      status: 200,
      description: 'What lies within, by name.',
      schema: z.strictObject({ items: z.array(folderShape) }).openapi('FolderList'),
    },
    ...(['not_found', 'conflict', 'bad_parameters'] as const),
  ),
});

/** Looks through the folders of backends with the person's own rights. */
export function addFolderRoutes(api: ApiRouter, collections: Collections): void {
  api.openapi(listRoute, async (c) => {
    const caller = c.get('caller');
    if (caller.kind === 'key') return answerProblem(c, 'not_allowed');
    const { host } = new URL(c.get('visit').origin);
    const places = placesOn(collections, host);
    const { path } = c.req.valid('query');
    if (path === undefined) return c.json({ items: places.map(folderBody) });
    const place = placeOf(places, path);
    if (place === null) return answerProblem(c, 'not_found');
    const found = await collections.within(caller, place.host ?? host, path);
    return isRefused(found) ? answerRefusal(c, found) : c.json({ items: found.map(folderBody) });
  });
}

function folderBody({ path, name }: Pick<BrowsableRoute, 'path' | 'name'>): object {
  return { path, name } satisfies z.input<typeof folderShape>;
}
