import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createRouting } from '../../../src/compose/routing.ts';
import type { Inbound } from '../../../src/core/decision.ts';
import { Fault } from '../../../src/core/errors.ts';
import { parseScopes, type Scope } from '../../../src/core/scope.ts';
import { type Answer, ask, type AskDeps, type Asked } from '../../../src/doors/ask.ts';
import { settledFields } from '../../../src/doors/envoy-fields.ts';
import { backendFields } from '../../../src/gateway/backend-request.ts';
import { createClientSideReader } from '../../../src/gateway/client-side.ts';
import { decide } from '../../../src/gateway/decide.ts';
import type { RequestRecord } from '../../../src/gateway/record.ts';
import type { Verification } from '../../../src/tokens/verification.ts';
import { steppedClock } from '../../support/stepped-clock.ts';
import { loaded } from '../config/in-memory-sources.ts';
import { principal } from '../gateway/route-fixture.ts';

const yaml = `
routes:
  - name: files
    match: { path: /dav/ }
    backend: http://127.0.0.1:8008
    accept: [basic, bearer, { header: apiToken }, { query: session }]
    identity: { user: X-Remote-User, assertion: X-Latchkey-Assertion }
    backendOrigin: http://inside.example
  - name: calendar
    match: { path: /dav/calendars/ }
    backend: http://127.0.0.1:8009
    kind: caldav
`;
const scopes = parseScopes(['path:/dav/alice/:rw', 'path:/dav/shared/:r']) as readonly Scope[];

/** What asking with these verdicts on a token needs, and what it recorded. */
function world(verify: () => Verification | Promise<Verification> = () => granted): {
  readonly deps: AskDeps;
  readonly records: RequestRecord[];
} {
  const records: RequestRecord[] = [];
  const routing = createRouting(loaded({ yaml }).config, steppedClock(), () => undefined);
  const deps: AskDeps = {
    ...routing,
    clientSide: createClientSideReader([]),
    verifier: { verify },
    guesses: { refused: () => 0 },
    hasOwnPages: () => false,
    assertions: { sign: () => 'signed' },
    recorder: {
      begin: () => undefined,
      record: (record) => void records.push(record),
      fault: () => undefined,
    },
    nextRequestId: () => 'id',
  };
  return { deps, records };
}

const granted: Verification = { kind: 'verified', principal: principal({ scopes }), tier: 'l1' };
const able = { removes: null, setsWhatIsTold: true, replacesTarget: true };
const unable = {
  removes: new Set(['authorization', 'cookie', 'referer']),
  setsWhatIsTold: false,
  replacesTarget: false,
};

function asked(change: Partial<Asked> = {}): Asked {
  return {
    ...{ method: 'GET', target: '/dav/alice/a', host: 'gw.example', scheme: 'https', proxy: able },
    ...{ clientAddress: '192.0.2.7', rawHeaders: ['Authorization', 'Bearer lk_x'] },
    ...change,
  };
}

function inboundOf({ method, target, host, rawHeaders }: Asked): Inbound {
  return {
    ...{ method, target, exactLine: true, httpVersion: '1.1', peerAddress: '192.0.2.7', tls: true },
    rawHeaders: [...rawHeaders, 'Host', host],
    readBody: () => Promise.resolve(null),
  };
}

/** What the examples of nginx, ingress-nginx and Traefik take from an answer, or leave out where it has none. */
const copied = [
  'X-Remote-User',
  'X-Latchkey-Assertion',
  'Authorization',
  'Cookie',
  'Referer',
  'Destination',
  'If',
];

/** What a proxy makes of a request that sets and removes whatever it is told, or copies those few fields. */
function obeyed(
  { rawHeaders, proxy }: Asked,
  fields: readonly string[],
  removed: readonly string[],
): readonly string[] {
  const set = fields.filter((_, at) => at % 2 === 0);
  const taken = proxy.removes === null ? [...removed, ...set] : copied;
  const gone = new Set(taken.map((name) => name.toLowerCase()));
  return [
    ...rawHeaders.flatMap((name, at) =>
      at % 2 === 1 || gone.has(name.toLowerCase()) ? [] : [name, rawHeaders[at + 1] as string],
    ),
    ...fields,
  ];
}

/** Without what every proxy says of a request by itself, and with the lines of Cookie as one. */
function endToEnd(flat: readonly string[], { rules }: AskDeps): readonly string[] {
  const found = new Map<string, string[]>();
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at]?.toLowerCase() as string;
    const rule = rules.ruleOf(name);
    if (rule?.kind === 'forwarded' || rule?.kind === 'list' || (rule?.kind === 'drop' && !rule.obeyed))
      continue;
    if (/^(?:host|content-length|transfer-encoding|expect)$/.test(name)) continue;
    found.set(name, [...(found.get(name) ?? []), flat[at + 1] as string]);
  }
  return [...found].map(([name, values]) => `${name}: ${values.join('; ')}`).toSorted();
}

const names = [
  ...[
    'Authorization',
    'apiToken',
    'Destination',
    'If',
    'Depth',
    'Overwrite',
    'X-HTTP-Method-Override',
    'Cookie',
  ],
  ...[
    'X-Remote-User',
    'X_Remote_User',
    'X-Forwarded-Host',
    'X-Forwarded-For',
    'X-Original-URL',
    'Referer',
    'Host',
  ],
  ...['Connection', 'Content-Type', 'User-Agent', 'Upload-Metadata', 'Content-Length'],
];
const paths = [
  '/dav/alice/a',
  '/dav/alice/',
  '/dav/bob/a',
  '/dav/shared/x',
  '/dav/calendars/c',
  '/other',
  '/dav/',
];
const oddPaths = [
  '/dav/alice/../bob',
  '/dav//alice/a',
  '/dav/alice/%2e%2e/b',
  '/dav/alice/a?session=lk_y',
  '*',
  '/a b',
];
const values = [
  ...[
    'Bearer lk_x',
    'Basic YWxpY2U6bGtfeA==',
    'gw.example',
    'MOVE',
    'PUT',
    '0',
    'infinity',
    'T',
    '(<urn:uuid:1>)',
  ],
  ...[
    'http://gw.example/dav/alice/b',
    'https://else.example/dav/alice/b',
    '<http://gw.example/dav/bob/> (<urn:x:1>)',
  ],
];
const requests: fc.Arbitrary<Asked> = fc
  .record({
    method: fc.constantFrom(
      'GET',
      'PUT',
      'DELETE',
      'MOVE',
      'COPY',
      'PROPFIND',
      'REPORT',
      'SEARCH',
      'BIND',
      'TRACE',
    ),
    target: fc.oneof(fc.constantFrom(...paths), fc.constantFrom(...paths, ...oddPaths), fc.webPath()),
    fields: fc.array(
      fc.tuple(fc.constantFrom(...names), fc.oneof(fc.constantFrom(...values, ...paths), fc.string())),
      { maxLength: 2 },
    ),
    known: fc.integer({ min: 0, max: 9 }).map((draw) => draw > 0),
  })
  .map(({ method, target, fields, known }) =>
    asked({
      method,
      target,
      rawHeaders: [...(known ? ['Authorization', 'Bearer lk_x'] : []), ...fields.flat()],
    }),
  );

/** What may have to be changed on its way to a backend. */
const carried: readonly (readonly [string, string])[] = [
  ['Cookie', 'a=1'],
  ['cookie', '__Host-latchkey_session=s'],
  ['Cookie', 'b=2; latchkey_x=1; c=3'],
  ['Referer', 'http://gw.example/a'],
  ['Referer', 'http://gw.example/lk_1'],
  ['referer', 'http://gw.example/?session=lk_1'],
  ['X_Remote_User', 'mallory'],
  ['X-Latchkey-Assertion', 'mallory'],
  ['Destination', 'http://gw.example/dav/alice/b'],
  ['If', '(<urn:uuid:1>)'],
];

describe('asking', () => {
  test('decides as the gateway does for itself, whatever is asked, but for bodies', async () => {
    const { deps } = world();
    let allowed = 0;
    await fc.assert(
      fc.asyncProperty(requests, async (request) => {
        const [answer, decision] = [await ask(request, deps), await decide(inboundOf(request), deps)];
        if (decision.kind === 'allow') {
          allowed++;
          assert.equal(answer.kind, 'allow');
        } else {
          assert.equal(answer.kind, 'refuse');
          const readsBody = decision.denial.code === 'body_too_large';
          if (answer.kind === 'refuse' && !readsBody) assert.ok(answer.status >= 400 && answer.status < 500);
        }
      }),
      { numRuns: 2_000, seed: 5 },
    );
    assert.ok(allowed > 40, `${allowed} were allowed`);
  });

  test('has a proxy that does all it is told, or copies a few fields, or is Envoy, pass on what the gateway itself would', async () => {
    const { deps } = world(() => ({ ...granted, principal: principal() }));
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        requests,
        fc.array(fc.constantFrom(...carried), { maxLength: 3 }),
        fc.constantFrom(able, unable),
        async (request, more, proxy) => {
          const both = { ...request, proxy, rawHeaders: [...request.rawHeaders, ...more.flat()] };
          const [answer, decision] = [await ask(both, deps), await decide(inboundOf(both), deps)];
          if (answer.kind === 'refuse' || decision.kind === 'refuse' || decision.route.name !== 'files')
            return;
          compared++;
          const own = backendFields(
            decision,
            { scheme: 'http', authority: 'backend.example' },
            'id',
            'signed',
          );
          const { fields, removed } = answer;
          assert.deepEqual(endToEnd(obeyed(both, fields, removed), deps), endToEnd(own, deps));
          if (proxy !== able) return;
          const envoy = settledFields(answer, both);
          assert.deepEqual(endToEnd(obeyed(both, envoy.set, envoy.removed), deps), endToEnd(own, deps));
        },
      ),
      { numRuns: 3_000, seed: 7 },
    );
    assert.ok(compared > 100, `${compared} were allowed`);
  });

  test('records each question once, with the answer that was given', async () => {
    const { deps, records } = world();
    await fc.assert(
      fc.asyncProperty(requests, fc.constantFrom(able, unable), async (request, proxy) => {
        records.length = 0;
        const answer = await ask({ ...request, proxy }, deps);
        assert.equal(records.length, 1);
        assert.equal(records[0]?.status, answer.kind === 'allow' ? 200 : answer.status);
      }),
      { numRuns: 300, seed: 6 },
    );
  });

  test('says of no field that it may pass which a backend might obey, to a proxy that takes none off', async () => {
    const { deps } = world();
    for (const name of [
      'X-Remote-User',
      'X_Remote_User',
      'x.remote.user',
      'X-Original-URL',
      'X-HTTP-Method',
      'Proxy',
      'HTTP2-Settings',
    ]) {
      const rawHeaders = ['Authorization', 'Bearer lk_x', name, 'PUT'];
      assert.equal((await ask(asked({ rawHeaders, proxy: unable }), deps)).kind, 'refuse', name);
      const answer = (await ask(asked({ rawHeaders }), deps)) as Answer & {
        readonly removed: readonly string[];
      };
      assert.deepEqual(answer.removed, ['Authorization', name]);
    }
  });

  test('a header by which other routes say who asks is refused at a proxy that copies it from the answer and keeps it where there is none [CVE-2026-30851]', async () => {
    const { deps } = world(() => ({ ...granted, principal: principal() }));
    const calendar = { target: '/dav/calendars/c', proxy: unable };
    const bearer = ['Authorization', 'Bearer lk_x'];
    const kindFor = async (...rawHeaders: readonly string[]): Promise<string> =>
      (await ask(asked({ ...calendar, rawHeaders }), deps)).kind;
    assert.equal(await kindFor(...bearer), 'allow');
    for (const name of ['X-Remote-User', 'X-Latchkey-Assertion', 'x_latchkey_assertion'])
      assert.equal(await kindFor(...bearer, name, 'mallory'), 'refuse', name);
  });

  test('leaves to no proxy that may not set what it is told whether a claimed identity is replaced', async () => {
    const { deps } = world();
    const proxy = { ...able, setsWhatIsTold: false };
    const kindFor = async (...more: readonly string[]): Promise<string> =>
      (await ask(asked({ rawHeaders: ['Authorization', 'Bearer lk_x', ...more], proxy }), deps)).kind;
    assert.equal(await kindFor('x-remote-USER', 'mallory'), 'refuse');
    assert.equal(await kindFor('X-Latchkey-Assertion', 'mallory'), 'refuse');
    assert.equal(await kindFor('X_Remote_User', 'mallory', 'X-HTTP-Method', 'PUT'), 'allow');
  });

  test('answers without a promise where the verdict is at hand', () => {
    assert.ok(!(ask(asked(), world().deps) instanceof Promise));
  });

  test('tells the backend who asks, and names Destination as the backend knows itself', () => {
    const rawHeaders = [
      ...['Authorization', 'Bearer lk_x', 'Destination', 'https://gw.example/dav/alice/b'],
      ...['Cookie', 'a=1; __Host-latchkey_session=s', 'Referer', 'https://gw.example/?session=lk_1'],
    ];
    assert.deepEqual(ask(asked({ method: 'MOVE', rawHeaders }), world().deps), {
      kind: 'allow',
      fields: [
        ...['X-Remote-User', 'alice', 'X-Latchkey-Assertion', 'signed'],
        ...['Destination', 'http://inside.example/dav/alice/b'],
        ...['Referer', 'https://gw.example/', 'Cookie', 'a=1'],
      ],
      removed: ['Authorization'],
      target: '/dav/alice/a',
    });
  });

  for (const [what, verify] of [
    [
      'thrown',
      () => {
        throw new Fault('store_unavailable', 'gone');
      },
    ],
    ['a rejection', () => Promise.reject(new Fault('store_unavailable', 'gone'))],
  ] as const) {
    test(`a fault, ${what}, is a 503 and no allow`, async () => {
      const { deps, records } = world(verify);
      const answer = await ask(asked(), deps);
      assert.equal(answer.kind === 'refuse' && answer.status, 503);
      assert.equal(records[0]?.outcome, 'store_unavailable');
    });
  }

  test('a signature that fails, and a user name that no header can hold, are 500', async () => {
    const failing = { sign: () => Promise.reject(new Error('no key')) };
    const unsigned = await ask(asked(), { ...world().deps, assertions: failing });
    assert.equal(unsigned.kind === 'refuse' && unsigned.status, 500);
    const odd: Verification = { ...granted, principal: principal({ userName: 'a\nb', scopes }) };
    const { deps, records } = world(() => odd);
    const answer = await ask(asked(), deps);
    assert.equal(answer.kind === 'refuse' && answer.status, 500);
    assert.equal(records.length, 1);
  });
});
