import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { authzCases } from '../support/cases.ts';
import { endAll } from '../support/end-all.ts';
import { type Envoy, startEnvoy } from '../support/envoy.ts';
import { freePort } from '../support/free-port.ts';
import { type Gateway, route, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';
import { gatewayPeppers, openTokenOffice, type TokenOffice } from '../support/token-office.ts';

/** What this door refuses and the gateway itself does not: the body would have to be read. */
const needBody: ReadonlySet<string> = new Set([
  'report-multiget-inside',
  'report-sync-collection',
  'report-calendar-query',
  'report-free-busy',
  'multiget-absolute-inside',
  'search-inside',
]);

/** What the door over HTTP refuses beside: Envoy may keep a header that it was not told to set. */
const claimsIdentity: ReadonlySet<string> = new Set(['identity-spoof']);

interface World {
  readonly gateway: Gateway;
  readonly office: TokenOffice;
  readonly envoys: readonly (readonly [name: string, envoy: Envoy])[];
}

/** Without what the example has Envoy itself refuse: the doors are tried by everything. */
function withoutGuards(text: string): string {
  return text
    .replace(/ +common_http_protocol_options: .*\n/, '')
    .replace(/ +path_with_escaped_slashes_action: .*\n/, '');
}

describe(
  'hostile requests behind Envoy end as they do at the gateway itself',
  requireProgram('envoy'),
  () => {
    let backend: RecordingBackend;
    const worlds = new Map<string | undefined, World>();

    async function startWorld(uploads: string | undefined): Promise<World> {
      const accept = ['basic', 'bearer', { query: 'access_token' }];
      const files = route({ backend: backend.url, accept, ...(uploads === undefined ? {} : { uploads }) });
      const match = { path: '/dav/calendars/' };
      const calendars = route({ name: 'calendars', match, kind: 'caldav', backend: backend.url, accept });
      const [doors, grpc] = [await freePort(), await freePort()];
      const gateway = await startGateway({
        routes: [files, calendars],
        env: gatewayPeppers.env,
        config: { ...gatewayPeppers.config, doors: { port: doors, grpcPort: grpc, open: ['envoy'] } },
      });
      const office = await openTokenOffice(join(gateway.dataDir, 'latchkey.db'), null);
      const places = { backend: backend.port, doors, grpc };
      return {
        gateway,
        office,
        envoys: [
          ['HTTP', await startEnvoy('http.yaml', places, withoutGuards)],
          ['gRPC', await startEnvoy('grpc.yaml', places, withoutGuards)],
        ],
      };
    }

    before(async () => {
      backend = await startRecordingBackend();
      for (const uploads of new Set(authzCases().map(({ routeUploads }) => routeUploads))) {
        worlds.set(uploads, await startWorld(uploads));
      }
    });
    after(() =>
      endAll(
        ...[...worlds.values()].flatMap(({ envoys, office, gateway }) => [
          ...envoys.map(
            ([, envoy]) =>
              () =>
                envoy.stop(),
          ),
          async () => office.close(),
          () => gateway.stop(),
        ]),
        () => backend?.close(),
      ),
    );

    for (const each of authzCases()) {
      test(`${each.id} ends in ${needBody.has(each.id) ? 'deny: its body is not seen' : each.expect}`, async () => {
        const world = worlds.get(each.routeUploads);
        assert.ok(world);
        const { secret: token } = await world.office.mint(each.user ?? 'alice', { scopes: each.scope });
        const { secret: other } = await world.office.mint('alice');
        const expand = (text: string): string =>
          text.replaceAll('{{TOKEN_A}}', token).replaceAll('{{TOKEN_B}}', other);
        const fields = Object.entries(each.headers).map(([name, value]) => `${name}: ${expand(value)}`);
        const inQuery = each.target.includes('{{TOKEN_A}}');
        if (!inQuery && !Object.hasOwn(each.headers, 'Authorization')) {
          fields.push(`Authorization: Bearer ${token}`);
        }
        const sent = each.body === '{{gzip of a multiget}}' ? gzipSync('<a/>') : (each.body ?? '');
        const end = async (port: number): Promise<number> => {
          backend.forget();
          const code = status(await exchange(port, each.method, expand(each.target), fields, sent));
          assert.equal(backend.requests.length, code === 200 ? 1 : 0, String(code));
          assert.ok(!backend.text().includes(token));
          return code;
        };
        const own = await end(world.gateway.port);
        assert.equal(own === 200, each.expect === 'allow');
        for (const [name, { port }] of world.envoys) {
          const behind = await end(port);
          const beyondHttp = inQuery || claimsIdentity.has(each.id);
          const stricter = needBody.has(each.id) ? 403 : beyondHttp && name === 'HTTP' ? 400 : own;
          // Of a malformed request Envoy says so itself, and so it does of a body that is too large to be looked at.
          const good = stricter === 200 ? [200] : [stricter, 400, 403];
          assert.ok(good.includes(behind), `${name}: ${behind}, not ${stricter}`);
        }
      });
    }
  },
);
