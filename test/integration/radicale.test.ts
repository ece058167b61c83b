import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { calendarEvent } from '../support/calendar-event.ts';
import { endAll } from '../support/end-all.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import type { HttpMessage } from '../support/http-message.ts';
import { startRadicale } from '../support/radicale.ts';
import type { Radicale } from '../support/radicale.ts';
import { exchange } from '../support/raw-client.ts';
import { requireProgram } from '../support/requirement.ts';

const names = "xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'";

type Call = (
  method: string,
  target: string,
  body?: string,
  fields?: readonly string[],
) => Promise<HttpMessage>;

function keepsACalendar(call: () => Call): void {
  const text = (answer: HttpMessage): string => answer.body.toString('utf8');

  test('a calendar is made', async () => {
    const body = `<c:mkcalendar ${names}><d:set><d:prop><d:displayname>Team</d:displayname></d:prop></d:set></c:mkcalendar>`;
    assert.equal(status(await call()('MKCALENDAR', '/alice/team/', body)), 201);
  });

  test('events are put', async () => {
    for (const uid of ['one', 'two']) {
      const answer = await call()('PUT', `/alice/team/${uid}.ics`, calendarEvent(uid), [
        'Content-Type: text/calendar',
      ]);
      assert.equal(status(answer), 201);
    }
  });

  test('a sync-collection REPORT lists both, and after a deletion says what is gone', async () => {
    const sync = (token: string): string =>
      `<d:sync-collection ${names}><d:sync-token>${token}</d:sync-token><d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>`;
    const first = await call()('REPORT', '/alice/team/', sync(''));
    assert.equal(status(first), 207);
    assert.match(text(first), /one\.ics/);
    assert.match(text(first), /two\.ics/);
    const token = /<sync-token>([^<]+)</.exec(text(first))?.[1] ?? '';
    assert.notEqual(token, '');
    assert.equal(status(await call()('DELETE', '/alice/team/two.ics')), 200);
    const second = text(await call()('REPORT', '/alice/team/', sync(token)));
    assert.doesNotMatch(second, /one\.ics/);
    assert.match(second, /two\.ics[^]*404/);
  });

  test('a calendar-multiget REPORT returns the event', async () => {
    const body = `<c:calendar-multiget ${names}><d:prop><d:getetag/><c:calendar-data/></d:prop><d:href>/alice/team/one.ics</d:href></c:calendar-multiget>`;
    const answer = await call()('REPORT', '/alice/team/', body, ['Depth: 1']);
    assert.equal(status(answer), 207);
    assert.match(text(answer), /SUMMARY:one/);
  });

  test('a calendar-query REPORT finds the event in its time range', async () => {
    const body = `<c:calendar-query ${names}><d:prop><d:getetag/></d:prop><c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'><c:time-range start='20261201T000000Z' end='20261202T000000Z'/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`;
    const answer = await call()('REPORT', '/alice/team/', body, ['Depth: 1']);
    assert.equal(status(answer), 207);
    assert.match(text(answer), /one\.ics/);
  });
}

describe('Radicale', requireProgram('radicale'), () => {
  let radicale: Radicale;

  describe('directly (control)', () => {
    before(async () => {
      radicale = await startRadicale();
    });
    after(async () => {
      await radicale?.stop();
    });
    keepsACalendar(
      () =>
        (method, target, body = '', fields = []) =>
          exchange(radicale.port, method, target, ['X-Remote-User: alice', ...fields], body),
    );
  });

  describe('through the gateway', () => {
    let gateway: Gateway;
    const callWith =
      (token: string): Call =>
      (method, target, body = '', fields = []) =>
        exchange(gateway.port, method, target, [`Authorization: Bearer ${token}`, ...fields], body);
    let owner: Call;
    let reader: Call;
    before(async () => {
      radicale = await startRadicale();
      gateway = await startGateway({ backend: radicale.url, route: { kind: 'caldav' } });
      await gateway.user('alice');
      owner = callWith(await gateway.token());
      reader = callWith(await gateway.token({ scopes: ['path:/alice/team/:r'] }));
    });
    after(() =>
      endAll(
        () => gateway?.stop(),
        () => radicale?.stop(),
      ),
    );

    keepsACalendar(() => owner);

    test('a read-only token gets the event by GET, multiget and sync', async () => {
      assert.equal(status(await reader('GET', '/alice/team/one.ics')), 200);
      const multiget = `<c:calendar-multiget ${names}><d:prop><c:calendar-data/></d:prop><d:href>/alice/team/one.ics</d:href></c:calendar-multiget>`;
      assert.equal(status(await reader('REPORT', '/alice/team/', multiget)), 207);
      const sync = `<d:sync-collection ${names}><d:sync-token/><d:sync-level>1</d:sync-level><d:prop/></d:sync-collection>`;
      assert.equal(status(await reader('REPORT', '/alice/team/', sync)), 207);
    });

    test('a read-only token is refused on PUT and DELETE with 403, and nothing changes', async () => {
      const put = await reader('PUT', '/alice/team/three.ics', calendarEvent('three'));
      assert.equal(status(put), 403);
      assert.equal(status(await reader('DELETE', '/alice/team/one.ics')), 403);
      assert.equal(status(await owner('GET', '/alice/team/three.ics')), 404);
      assert.equal(status(await owner('GET', '/alice/team/one.ics')), 200);
    });

    test('a multiget that names a calendar outside the token is refused with 403', async () => {
      const body = `<c:calendar-multiget ${names}><d:prop><c:calendar-data/></d:prop><d:href>/alice/private/one.ics</d:href></c:calendar-multiget>`;
      assert.equal(status(await reader('REPORT', '/alice/team/', body)), 403);
    });

    test('a client that names a prefix to cut off moves nothing out of its scope', async () => {
      const narrow = callWith(await gateway.token({ scopes: ['path:/alice/team/:rw'] }));
      assert.equal(status(await owner('MKCALENDAR', '/alice/private/')), 201);
      assert.equal(status(await narrow('PUT', '/alice/team/four.ics', calendarEvent('four'))), 201);
      for (const name of ['X-Script-Name', 'X_Script_Name', 'X.Script.Name']) {
        await narrow('MOVE', '/alice/team/four.ics', '', [
          `${name}: /alice/team`,
          'Destination: /alice/team/alice/private/four.ics',
        ]);
        assert.equal(status(await owner('GET', '/alice/private/four.ics')), 404, name);
      }
    });

    test('without a token the answer is 401 with a Basic challenge', async () => {
      const answer = await exchange(gateway.port, 'PROPFIND', '/alice/', [
        'X-Remote-User: alice',
        'Depth: 0',
      ]);
      assert.equal(status(answer), 401);
      assert.match(answer.head, /^WWW-Authenticate: Basic /im);
    });
  });
});
