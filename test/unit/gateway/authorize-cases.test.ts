import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { denials } from '../../../src/core/errors.ts';
import { authzCases } from '../../support/cases.ts';
import { routeConfig } from '../../support/route-config.ts';
import { ask } from './authorize-fixture.ts';

const multiget =
  "<c:calendar-multiget xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop/></c:calendar-multiget>";
const statuses = { allow: [], deny: [403], bad_request: [400, 415] } as const;

describe('every authorization case, from head to decision', () => {
  for (const each of authzCases()) {
    test(`tier ${each.tier}: ${each.id} ends in ${each.expect}`, async () => {
      const fill = (text: string): string =>
        text.replaceAll('{{TOKEN_A}}', 'A').replaceAll('{{TOKEN_B}}', 'B');
      const answer = await ask({
        method: each.method,
        target: fill(each.target),
        headers: Object.fromEntries(Object.entries(each.headers).map(([name, value]) => [name, fill(value)])),
        body: each.body === '{{gzip of a multiget}}' ? gzipSync(multiget) : (each.body ?? ''),
        scopes: each.scope,
        user: each.user ?? 'alice',
        routes: [
          routeConfig({ uploads: each.routeUploads ?? null }),
          routeConfig({ name: 'calendars', match: { host: null, path: '/dav/calendars/' }, kind: 'caldav' }),
        ],
      });
      if (each.expect === 'allow') {
        assert.equal(answer.kind, 'permit', JSON.stringify(answer));
        const drops = each.upstream_must_not_see?.includes('Destination') ?? false;
        assert.equal(answer.kind === 'permit' && answer.dropDestination, drops);
      } else {
        assert.equal(answer.kind, 'deny');
        const status = answer.kind === 'deny' ? denials[answer.code].status : 0;
        assert.ok((statuses[each.expect] as readonly number[]).includes(status), JSON.stringify(answer));
      }
    });
  }
});
