import type { TokenId, UserId } from '../../../core/ids.ts';
import type { AuditReading, ShownEvent } from '../../../management/audit.ts';
import { manages, type Person } from '../../../management/caller.ts';
import { isRefused, notAllowed, type Refused } from '../../../management/refused.ts';
import type { AuditQuery } from '../../../tokens/token-store.ts';
import type { WebContext, WebRouter } from '../../context.ts';
import type { FieldError } from '../fields.ts';
import type { Frame } from '../frame.ts';
import type { Guards } from '../guards.ts';
import { readLocalDate } from '../local-dates.ts';
import { type AuditAsked, renderAudit } from './audit-page.ts';
import { csvHead, csvLine, jsonLine } from './audit-words.ts';

const pageSize = 50;
const exportPageSize = 500;
const exportMax = 10_000;

/** The audit log, and files of it. */
export function addAuditRoutes(
  router: WebRouter,
  { guards, audit }: { readonly guards: Guards; readonly audit: AuditReading },
): void {
  router.get(
    '/admin/audit',
    guards.page(async (c, person, frame) => {
      if (!manages(person, 'audit')) return notAllowed;
      const [asked, after] = [readAsked(c), c.req.query('after') ?? ''];
      const { query, errors } = toQuery(frame, asked);
      const page = await audit.list(person, {
        ...query,
        limit: pageSize,
        ...(after === '' ? {} : { after }),
      });
      if (isRefused(page)) return page;
      const view = { asked, after, errors, page, exportMax };
      return c.html(renderAudit(frame, view), errors.length > 0 ? 422 : 200);
    }),
  );

  const files = [
    ['csv', 'text/csv; charset=utf-8; header=present', csvHead, csvLine],
    ['ndjson', 'application/x-ndjson', '', jsonLine],
  ] as const;
  for (const [ending, type, head, line] of files) {
    router.get(
      `/admin/audit/export.${ending}`,
      guards.page(async (c, person, frame) => {
        if (!manages(person, 'audit')) return notAllowed;
        const { query } = toQuery(frame, readAsked(c));
        const events = await collect(audit, person, query);
        if (isRefused(events)) return events;
        return c.body(head + events.map(line).join(''), 200, {
          'Content-Type': type,
          'Content-Disposition': `attachment; filename="latchkey-audit.${ending}"`,
        });
      }),
    );
  }
}

async function collect(
  audit: AuditReading,
  person: Person,
  query: Omit<AuditQuery, 'limit'>,
): Promise<readonly ShownEvent[] | Refused> {
  const events: ShownEvent[] = [];
  let after: string | null = null;
  do {
    const limit = Math.min(exportPageSize, exportMax - events.length);
    const page: Awaited<ReturnType<AuditReading['list']>> = await audit.list(person, {
      ...query,
      limit,
      ...(after === null ? {} : { after }),
    });
    if (isRefused(page)) return page;
    events.push(...page.items);
    after = page.next;
  } while (after !== null && events.length < exportMax);
  return events;
}

function readAsked(c: WebContext): AuditAsked {
  const text = (name: string): string => (c.req.query(name) ?? '').trim().slice(0, 200);
  return {
    ...{ action: text('action'), actor: text('actor'), user: text('user'), token: text('token') },
    ...{ from: text('from'), until: text('until') },
  };
}

function toQuery(
  { texts }: Frame,
  asked: AuditAsked,
): { readonly query: Omit<AuditQuery, 'limit'>; readonly errors: readonly FieldError[] } {
  const from = asked.from === '' ? null : readLocalDate(asked.from, 'start');
  const before = asked.until === '' ? null : readLocalDate(asked.until, 'end');
  const message = texts.tokenForm.errors.date;
  const errors = [
    ...(asked.from !== '' && from === null ? [{ field: 'from', message }] : []),
    ...(asked.until !== '' && before === null ? [{ field: 'until', message }] : []),
  ];
  const query = {
    ...(asked.action === '' ? {} : { action: asked.action }),
    ...(asked.actor === '' ? {} : { actor: asked.actor }),
    ...(asked.user === '' ? {} : { userId: asked.user as UserId }),
    ...(asked.token === '' ? {} : { tokenId: asked.token as TokenId }),
    ...(from === null ? {} : { from }),
    ...(before === null ? {} : { before }),
  };
  return { query, errors };
}
