import type { TokenId, UserId } from '../../../core/ids.ts';
import { foldUserName } from '../../../core/user-name.ts';
import { isUuid } from '../../../core/uuid.ts';
import type { AuditReading, ShownEvent } from '../../../management/audit.ts';
import { manages, type Person } from '../../../management/caller.ts';
import type { PeopleManagement } from '../../../management/people.ts';
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

/** What the audit log works with. */
export interface AuditRoutesDeps {
  readonly guards: Guards;
  readonly audit: AuditReading;
  readonly people: Pick<PeopleManagement, 'list'>;
}

/** The audit log, and files of it. */
export function addAuditRoutes(router: WebRouter, deps: AuditRoutesDeps): void {
  const { guards, audit } = deps;
  router.get(
    '/admin/audit',
    guards.page(async (c, person, frame) => {
      if (!manages(person, 'audit')) return notAllowed;
      const [asked, after] = [readAsked(c), c.req.query('after') ?? ''];
      const { query, errors } = await toQuery(frame, asked, person, deps.people);
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
        const { query } = await toQuery(frame, readAsked(c), person, deps.people);
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

/** By login name, or by id, which removed users are still known by. */
async function findUser(
  person: Person,
  text: string,
  people: AuditRoutesDeps['people'],
): Promise<UserId | null> {
  if (isUuid(text)) return text.toLowerCase() as UserId;
  const found = await people.list(person, { text, limit: exportPageSize });
  if (isRefused(found)) return null;
  const name = foldUserName(text);
  return found.items.find((user) => foldUserName(user.name) === name)?.id ?? null;
}

function readAsked(c: WebContext): AuditAsked {
  const text = (name: string): string => (c.req.query(name) ?? '').trim().slice(0, 200);
  return {
    ...{ action: text('action'), actor: text('actor'), user: text('user'), token: text('token') },
    ...{ from: text('from'), until: text('until') },
  };
}

async function toQuery(
  { texts }: Frame,
  asked: AuditAsked,
  person: Person,
  people: AuditRoutesDeps['people'],
): Promise<{ readonly query: Omit<AuditQuery, 'limit'>; readonly errors: readonly FieldError[] }> {
  const userId = asked.user === '' ? null : await findUser(person, asked.user, people);
  const from = asked.from === '' ? null : readLocalDate(asked.from, 'start');
  const before = asked.until === '' ? null : readLocalDate(asked.until, 'end');
  const message = texts.tokenForm.errors.date;
  const errors = [
    ...(asked.from !== '' && from === null ? [{ field: 'from', message }] : []),
    ...(asked.until !== '' && before === null ? [{ field: 'until', message }] : []),
    ...(asked.user !== '' && userId === null ? [{ field: 'user', message: texts.admin.badUser }] : []),
  ];
  const query = {
    ...(asked.action === '' ? {} : { action: asked.action }),
    ...(asked.actor === '' ? {} : { actor: asked.actor }),
    ...(userId === null ? {} : { userId }),
    ...(asked.token === '' ? {} : { tokenId: asked.token as TokenId }),
    ...(from === null ? {} : { from }),
    ...(before === null ? {} : { before }),
  };
  return { query, errors };
}
