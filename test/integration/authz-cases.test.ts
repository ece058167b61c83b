import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { authzCases, caseTitle } from '../support/cases.ts';
import type { AuthzCase } from '../support/cases.ts';
import { endAll } from '../support/end-all.ts';
import { route, startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordedRequest, RecordingBackend } from '../support/recording-backend.ts';
import { gatewayPeppers, openTokenOffice, type TokenOffice } from '../support/token-office.ts';

const verdicts = { allow: [200], deny: [403], bad_request: [400, 415] } as const;

const multiget = `<c:calendar-multiget xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop/><d:href>/dav/calendars/alice/team/1.ics</d:href></c:calendar-multiget>`;

/** The same routes for every case, but for the chunked-upload folder. */
function routes(backend: string, uploads: string | undefined): readonly Readonly<Record<string, unknown>>[] {
  const accept = ['basic', 'bearer', { query: 'access_token' }];
  return [
    route({ backend, accept, ...(uploads === undefined ? {} : { uploads }) }),
    route({ name: 'calendars', match: { path: '/dav/calendars/' }, kind: 'caldav', backend, accept }),
  ];
}

interface Sent {
  readonly target: string;
  readonly fields: readonly string[];
  readonly body: string | Buffer;
}

function fill(each: AuthzCase, token: string, other: string): Sent {
  const expand = (text: string): string =>
    text.replaceAll('{{TOKEN_A}}', token).replaceAll('{{TOKEN_B}}', other);
  const fields = Object.entries(each.headers).map(([name, value]) => `${name}: ${expand(value)}`);
  const brings = each.target.includes('{{TOKEN_A}}') || Object.hasOwn(each.headers, 'Authorization');
  return {
    target: expand(each.target),
    fields: brings ? fields : [`Authorization: Bearer ${token}`, ...fields],
    body: each.body === '{{gzip of a multiget}}' ? gzipSync(multiget) : (each.body ?? ''),
  };
}

const folded = (name: string): string => name.toLowerCase().replaceAll(/[_.]/g, '-');

function assertForwarded(each: AuthzCase, sent: Sent, seen: RecordedRequest): void {
  assert.equal(seen.method, each.method);
  const path = sent.target.replace(/^http:\/\/gw\.example/, '');
  assert.equal(seen.target, each.forward_target ?? path);
  assert.deepEqual(seen.body, Buffer.from(sent.body));
  for (const [name, value] of Object.entries({
    'X-Remote-User': each.user ?? 'alice',
    ...each.upstream_must_see,
  })) {
    assert.equal(field(seen, name), value);
    const aliases = seen.fields.filter(([other]) => folded(other) === folded(name));
    assert.equal(aliases.length, 1, `one ${name}, however spelled: ${JSON.stringify(aliases)}`);
  }
  for (const name of each.upstream_must_not_see ?? []) {
    assert.ok(!seen.head.toLowerCase().includes(name.toLowerCase()), `no ${name} in ${seen.head}`);
  }
}

describe('what a scoped token may do, on the wire', () => {
  let backend: RecordingBackend;
  const gateways = new Map<string | undefined, Gateway>();
  // A command of its own for each token would take longer than all requests.
  const offices = new Map<string | undefined, TokenOffice>();
  before(async () => {
    backend = await startRecordingBackend();
    for (const uploads of new Set(authzCases().map(({ routeUploads }) => routeUploads))) {
      const gateway = await startGateway({ routes: routes(backend.url, uploads), ...gatewayPeppers });
      gateways.set(uploads, gateway);
      offices.set(uploads, await openTokenOffice(join(gateway.dataDir, 'latchkey.db'), null));
    }
  });
  after(() =>
    endAll(
      ...[...offices.values()].map((office) => () => office.close()),
      ...[...gateways.values()].map((gateway) => () => gateway.stop()),
      () => backend?.close(),
    ),
  );

  for (const each of authzCases()) {
    test(caseTitle(each), async () => {
      const gateway = gateways.get(each.routeUploads);
      const office = offices.get(each.routeUploads);
      assert.ok(gateway !== undefined && office !== undefined);
      const { secret: token } = await office.mint(each.user ?? 'alice', { scopes: each.scope });
      const { secret: other } = await office.mint('alice');
      const sent = fill(each, token, other);
      backend.forget();
      const answer = await exchange(gateway.port, each.method, sent.target, sent.fields, sent.body);

      const code = status(answer);
      assert.ok(
        (verdicts[each.expect] as readonly number[]).includes(code),
        answer.head + answer.body.toString(),
      );
      assert.ok(!backend.text().includes(token), 'the token does not reach the backend');
      const [seen, ...more] = backend.requests;
      assert.deepEqual(more, []);
      if (each.expect !== 'allow') {
        assert.equal(backend.text(), '', 'nothing reaches the backend');
        return;
      }
      assert.ok(seen);
      assertForwarded(each, sent, seen);
    });
  }
});
