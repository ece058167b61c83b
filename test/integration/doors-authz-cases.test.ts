import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startAskingNginx } from '../support/asking-nginx.ts';
import { authzCases } from '../support/cases.ts';
import { type DoorWorld, startDoorWorld, stopDoorWorld } from '../support/door-world.ts';
import { endAll } from '../support/end-all.ts';
import { route, type RouteText } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { requireProgram } from '../support/requirement.ts';

const body = 'its body would have to be read';
const field = 'nginx would pass a field on that the gateway takes off';

/** What this door refuses and the gateway itself does not, and why. */
const stricter: Readonly<Record<string, string>> = {
  'identity-spoof': field,
  'dest-on-readonly-get': field,
  'dest-on-put': field,
  'override-allowed': field,
  'rewrite-header-inside': field,
  'accel-header-inside': field,
  'report-multiget-inside': body,
  'report-sync-collection': body,
  'report-calendar-query': body,
  'report-free-busy': body,
  'multiget-absolute-inside': body,
  'search-inside': body,
};

/** The routes of `authz-cases.test.ts`. */
function routesWith(uploads: string | undefined): (backend: string) => readonly RouteText[] {
  const accept = ['basic', 'bearer', { query: 'access_token' }];
  return (backend) => [
    route({ backend, accept, ...(uploads === undefined ? {} : { uploads }) }),
    route({ name: 'calendars', match: { path: '/dav/calendars/' }, kind: 'caldav', backend, accept }),
  ];
}

describe(
  'hostile requests behind nginx end as they do at the gateway itself',
  requireProgram('nginx'),
  () => {
    const worlds = new Map<string | undefined, DoorWorld>();
    before(async () => {
      for (const uploads of new Set(authzCases().map(({ routeUploads }) => routeUploads))) {
        worlds.set(
          uploads,
          await startDoorWorld({ door: 'nginx', start: startAskingNginx }, routesWith(uploads)),
        );
      }
    });
    after(() => endAll(...[...worlds.values()].map((world) => () => stopDoorWorld(world))));

    for (const each of authzCases()) {
      const why = stricter[each.id];
      test(`${each.id} ends in ${why === undefined ? each.expect : `deny: ${why}`}`, async () => {
        const world = worlds.get(each.routeUploads);
        assert.ok(world);
        const { secret: token } = await world.office.mint(each.user ?? 'alice', { scopes: each.scope });
        const { secret: other } = await world.office.mint('alice');
        const expand = (text: string): string =>
          text.replaceAll('{{TOKEN_A}}', token).replaceAll('{{TOKEN_B}}', other);
        const fields = Object.entries(each.headers).map(([name, value]) => `${name}: ${expand(value)}`);
        const brings = each.target.includes('{{TOKEN_A}}') || Object.hasOwn(each.headers, 'Authorization');
        if (!brings) fields.push(`Authorization: Bearer ${token}`);
        const sent = each.body === '{{gzip of a multiget}}' ? gzipSync('<a/>') : (each.body ?? '');
        const end = async (port: number): Promise<number> => {
          world.backend.forget();
          const code = status(await exchange(port, each.method, expand(each.target), fields, sent));
          assert.equal(world.backend.requests.length, code === 200 ? 1 : 0, String(code));
          assert.ok(!world.backend.text().includes(token));
          return code;
        };
        const own = await end(world.gateway.port);
        assert.equal(own === 200, each.expect === 'allow');
        const behind = await end(world.proxy.port);
        // Of a malformed request nginx may say so itself.
        assert.ok(
          (own === 200 && why === undefined ? [200] : own === 400 ? [400, 403] : [403]).includes(behind),
          `${behind}`,
        );
      });
    }
  },
);
