import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { CanonicalPath } from '../../../src/core/path.ts';
import type { Verification } from '../../../src/tokens/verification.ts';
import { eventually } from '../../support/eventually.ts';
import { field } from '../../support/http-message.ts';
import { head, openRaw } from '../../support/raw-client.ts';
import { principal } from '../gateway/route-fixture.ts';
import { authorized, startListener } from './listener-fixture.ts';

const path = '/dav/a/' as CanonicalPath;
const access = { read: true, write: true };
const narrow: Verification = {
  kind: 'verified',
  principal: principal({ scopes: [{ kind: 'path', path, folder: true, access }] }),
  tier: 'l1',
};
const revoked: Verification = { kind: 'refused', reason: 'revoked', tier: 'l1' };
const report = '<c:calendar-query xmlns:c="urn:ietf:params:xml:ns:caldav"/>';
const long = 'a'.repeat(20_000);

/** What is sent, and how much of it goes ahead. */
const requests = [
  ['a small PUT', head('PUT', '/dav/a/b', [authorized, 'Content-Length: 5']), 'hello'],
  ['a DELETE with a body', head('DELETE', '/dav/a/b', [authorized, 'Content-Length: 5']), 'hello'],
  ['a PUT that will be streamed', head('PUT', '/dav/a/b', [authorized, 'Content-Length: 20000']), long],
  [
    'a PUT in chunks',
    head('PUT', '/dav/a/b', [authorized, 'Transfer-Encoding: chunked']),
    '1\r\na\r\n0\r\n\r\n',
  ],
  [
    'a REPORT',
    head('REPORT', '/dav/a/', [authorized, 'Depth: 1', `Content-Length: ${report.length}`]),
    report,
  ],
] as const;

describe('whose body comes late', () => {
  for (const [what, start, body] of requests) {
    test(`${what} is not passed on where the token was revoked meanwhile`, async (t) => {
      let asked = 0;
      let verdict: Verification = narrow;
      const { port, backend, records } = await startListener(t, {
        verify: () => {
          asked++;
          return Promise.resolve(verdict);
        },
      });
      const raw = await openRaw(port);
      await raw.send(start + body.slice(0, 3), start.slice(0, start.indexOf(' ')));
      await eventually('the first decision', () => asked === 1);
      verdict = revoked;
      await delay(50);
      await raw.send(body.slice(3));
      const answer = await raw.nextResponse();
      assert.match(answer.startLine, / 401 /);
      assert.equal(field(answer, 'connection'), 'close');
      await raw.closed;
      assert.deepEqual([asked, backend.requests.length, backend.text()], [2, 0, '']);
      assert.deepEqual(
        records.map(({ status, outcome }) => [status, outcome]),
        [[401, 'unauthenticated']],
      );
    });

    test(`${what} is passed on whole where it is still allowed`, async (t) => {
      const { port, backend } = await startListener(t, { verify: () => Promise.resolve(narrow) });
      const raw = await openRaw(port);
      await raw.send(start + body.slice(0, 3), start.slice(0, start.indexOf(' ')));
      await delay(50);
      await raw.send(body.slice(3));
      assert.match((await raw.nextResponse()).startLine, / 200 /);
      const sent = what === 'a PUT in chunks' ? 'a' : body;
      assert.equal(backend.requests[0]?.body.toString(), sent);
      raw.destroy();
    });
  }
});

test('bodies that are read to decide count among the requests of their token', async (t) => {
  const { port, backend } = await startListener(t, {
    verify: () => Promise.resolve(narrow),
    requestsPerToken: 1,
  });
  const start = requests[4][1];
  const [first, second] = [await openRaw(port), await openRaw(port)];
  await first.send(start + report.slice(0, 3), 'REPORT');
  await delay(50);
  await second.send(start + report.slice(0, 3), 'REPORT');
  assert.match((await second.nextResponse()).startLine, / 429 /);
  await second.closed;
  await first.send(report.slice(3));
  assert.match((await first.nextResponse()).startLine, / 200 /);
  await first.send(start + report, 'REPORT');
  assert.match((await first.nextResponse()).startLine, / 200 /);
  assert.equal(backend.requests.length, 2);
  first.destroy();
});
