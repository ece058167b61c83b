import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { readReport } from '../../src/gateway/report.ts';
import { calendarEvent } from '../support/calendar-event.ts';
import { changedUrl } from '../support/changed-url.ts';
import { status } from '../support/http-message.ts';
import { startRadicale } from '../support/radicale.ts';
import type { Radicale } from '../support/radicale.ts';
import { exchange } from '../support/raw-client.ts';
import { reportBody } from '../support/report-bodies.ts';
import { requireProgram } from '../support/requirement.ts';
import { verdict } from '../unit/gateway/authorize-fixture.ts';

const anySeed = Math.trunc(Math.random() * 0x7fff_ffff);
const seeds = [20_261_121, anySeed];
const team = '/alice/team/';
const urls = [
  `${team}one.ics`,
  `${team}none.ics`,
  '/alice/private/two.ics',
  '/alice/private/',
  team,
  '/bob/cal/x.ics',
];

const hrefs = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(`${team}one.ics`, `${team}none.ics`) },
  { weight: 2, arbitrary: changedUrl(urls) },
);

describe(
  'whatever report is allowed, Radicale answers with nothing outside the scope',
  requireProgram('radicale'),
  () => {
    let radicale: Radicale;
    const ask = (method: string, target: string, body: string | Buffer, ...fields: readonly string[]) =>
      exchange(radicale.port, method, target, ['X-Remote-User: alice', ...fields], body);
    before(async () => {
      radicale = await startRadicale();
      for (const [calendar, name, uid] of [
        [team, 'one.ics', 'inside-one'],
        ['/alice/private/', 'two.ics', 'outside-two'],
      ] as const) {
        const made = `<c:mkcalendar xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'/>`;
        assert.equal(status(await ask('MKCALENDAR', calendar, made)), 201);
        assert.equal(
          status(await ask('PUT', calendar + name, calendarEvent(uid), 'Content-Type: text/calendar')),
          201,
        );
      }
    });
    after(() => radicale?.stop());

    test('and with everything where nothing stands in between (control)', async () => {
      const body =
        "<c:calendar-multiget xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:prop><c:calendar-data/></d:prop><d:href>/alice/private/two.ics</d:href></c:calendar-multiget>";
      assert.match((await ask('REPORT', '/alice/private/', body)).body.toString(), /outside-two/);
    });

    for (const seed of seeds) {
      test(`seed ${seed}`, async (t) => {
        let [made, allowed, found] = [0, 0, 0];
        await fc.assert(
          fc.asyncProperty(changedUrl([team]), reportBody(hrefs), async (target, body) => {
            made++;
            const headers = { Depth: '1' };
            const scopes = [`path:${team}:r`];
            if ((await verdict({ method: 'REPORT', target, headers, scopes, body })) !== 'allow') return;
            allowed++;
            const answer = (await ask('REPORT', target, body, 'Depth: 1')).body.toString();
            if (answer.includes('inside-one')) found++;
            assert.doesNotMatch(answer, /outside-two/);
          }),
          { seed, numRuns: 1_500, plugins: [fc.interruptAfterTimeLimit(5_000)] },
        );
        t.diagnostic(`${allowed} of ${made} allowed, ${found} answered with what lies inside`);
        assert.ok(found > 0);
      });
    }
  },
);

/** Python's expat, which Radicale and many others read XML with: the texts of all hrefs, or null for what it refuses. */
class Expat {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #answers: AsyncIterator<string>;

  constructor() {
    this.#child = spawn('python3', ['-u', '-c', expatProgram]);
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async hrefs(body: Buffer): Promise<readonly string[] | null> {
    this.#child.stdin.write(`${body.toString('base64')}\n`);
    const { value } = await this.#answers.next();
    return JSON.parse(value as string) as readonly string[] | null;
  }

  async stop(): Promise<void> {
    this.#child.stdin.end();
    await new Promise((resolve) => this.#child.once('close', resolve));
  }
}

const expatProgram = `
import base64, json, sys
import xml.etree.ElementTree as tree
for line in sys.stdin:
    try:
        root = tree.fromstring(base64.b64decode(line))
        found = [''.join(each.itertext()) for each in root.iter() if each.tag.split('}')[-1] == 'href']
    except Exception:
        found = None
    print(json.dumps(found))
`;

describe(
  'whatever report body is read, another parser reads the same hrefs',
  requireProgram('python3'),
  () => {
    let expat: Expat;
    before(() => {
      expat = new Expat();
    });
    after(() => expat?.stop());

    for (const seed of seeds) {
      test(`expat, seed ${seed}`, async (t) => {
        let read = 0;
        await fc.assert(
          fc.asyncProperty(reportBody(hrefs), async (body) => {
            const ours = readReport(body);
            if (ours === null) return;
            read++;
            const theirs = await expat.hrefs(body);
            assert.ok(theirs !== null, 'it is XML to others, too');
            const trimmed = theirs.map((text) => text.replace(/^[ \t\r\n]+|[ \t\r\n]+$/g, ''));
            assert.deepEqual(trimmed.toSorted(), ours.hrefs.toSorted());
          }),
          { seed, numRuns: 2_000, plugins: [fc.interruptAfterTimeLimit(4_000)] },
        );
        t.diagnostic(`${read} read`);
        assert.ok(read > 10);
      });
    }
  },
);
