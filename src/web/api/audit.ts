import { createRoute } from '@hono/zod-openapi';
import type { Page } from '../../core/page.ts';
import type { AuditReading, ShownEvent } from '../../management/audit.ts';
import { isRefused } from '../../management/refused.ts';
import type { AuditQuery } from '../../tokens/token-store.ts';
import type { ApiContext, ApiRouter } from './api-context.ts';
import {
  eventBody,
  eventExportQuery,
  type EventListQuery,
  eventListQuery,
  eventSchema,
} from './audit-schema.ts';
import { userMeant } from './caller.ts';
import { answerPage, onePage } from './paging.ts';
import { answerProblem, answerRefusal } from './problem.ts';
import { answers, type Responses } from './responses.ts';
import { readers } from './security.ts';
import { answerLines } from './streamed-pages.ts';

const tags = ['Audit'];

const listRoute = createRoute({
  method: 'get',
  path: '/v1/audit',
  operationId: 'listEvents',
  tags,
  security: readers('audit'),
  summary: 'List audit events',
  description: 'Newest first. Who does not manage audit sees what concerns oneself.',
  request: { query: eventListQuery },
  responses: answers(onePage('AuditPage', eventSchema), 'bad_parameters'),
});

const exportAnswers: Responses = {
  ...answers({ status: 200, description: '' }, 'bad_parameters'),
  200: {
    description: 'Newline-delimited JSON.',
    content: { 'application/x-ndjson': { schema: eventSchema } },
  },
};

const exportRoute = createRoute({
  method: 'get',
  path: '/v1/audit/export',
  operationId: 'exportEvents',
  tags,
  security: readers('audit'),
  summary: 'Export audit events',
  description:
    'All of them, newest first, one JSON object a line. Where it breaks off, the connection ends without the last chunk.',
  request: { query: eventExportQuery },
  responses: exportAnswers,
});

/** What these routes need. */
export interface AuditDeps {
  readonly audit: AuditReading;
  /** Told of what broke an export off; must not throw. */
  readonly fault: (requestId: string, error: unknown) => void;
}

/** Lists and exports the audit trail. */
export function addAuditRoutes(api: ApiRouter, { audit, fault }: AuditDeps): void {
  api.openapi(listRoute, async (c) => {
    const query = resolved(c, c.req.valid('query'));
    if (query === null) return answerProblem(c, 'bad_parameters', { errors: [userIsNobody] });
    const page = await audit.list(c.get('caller'), query);
    return isRefused(page) ? answerRefusal(c, page) : answerPage(c, page, eventBody);
  });
  api.openapi(exportRoute, async (c) => {
    const query = resolved(c, c.req.valid('query'));
    if (query === null) return answerProblem(c, 'bad_parameters', { errors: [userIsNobody] });
    const first = await audit.list(c.get('caller'), query);
    if (isRefused(first)) return answerRefusal(c, first);
    c.header('Content-Disposition', 'attachment; filename="latchkey-audit.ndjson"');
    const read = async (after: string): Promise<Page<ShownEvent>> => {
      const page = await audit.list(c.get('caller'), { ...query, after });
      if (isRefused(page)) throw new Error(`the export may not go on: ${page.code}`);
      return page;
    };
    return answerLines(c, { first, read, present: eventBody, fault });
  });
}

const userIsNobody = { parameter: 'user', detail: 'a key is nobody: name an id' };

function resolved(c: ApiContext, { user, query }: EventListQuery): AuditQuery | null {
  if (user === null) return query;
  const userId = userMeant(c, user);
  return userId === null ? null : { ...query, userId };
}
