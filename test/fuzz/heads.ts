/** Request heads: what `readHead` makes of any target and list of fields. */
import assert from 'node:assert/strict';
import type { Inbound } from '../../src/core/decision.ts';
import { createClientSideReader } from '../../src/gateway/client-side.ts';
import { createFieldRules } from '../../src/gateway/field-rules.ts';
import { fieldsMax, readHead, targetBytesMax } from '../../src/gateway/read-head.ts';
import type { RequestHead } from '../../src/gateway/request-head.ts';
import { assertOrdinary } from './judges/ordinary-path.ts';
import { inboundOf, readRequestText, valuesOf } from './judges/request-text.ts';

export const subjects: readonly string[] = [
  'gateway/read-head.ts',
  'gateway/field-rules.ts',
  'gateway/client-side.ts',
];

export const words: readonly string[] = [
  ...[
    'Host: gw.example\n',
    'Content-Length: 5\n',
    'Transfer-Encoding: chunked\n',
    'Connection: close, X-Foo\n',
    'http://gw.example/a?b',
  ],
  ...[
    'X-Remote-User: root\n',
    'X_Remote_User: root\n',
    'X-Forwarded-For: 192.0.2.9, 10.0.0.1\n',
    'X-Forwarded-Host: public.example\n',
  ],
  ...[
    'Expect: 100-continue\n',
    'Destination: /b\n',
    'Depth: 0\n',
    '[2001:db8::1]:8080',
    '::ffff:192.0.2.1',
    'X-Forwarded-Proto: https\n',
  ],
];

export const bytesMax = 4_096;

const deps = {
  rules: createFieldRules(['X-Remote-User', 'X-Latchkey-Assertion', 'Company.User'], ['apiToken']),
  clientSide: createClientSideReader(['10.0.0.1', '2001:db8::/32']),
  hasOwnPages: () => false,
};
const client = '192.0.2.7';
const proxy = '10.0.0.1';

/** Names that no backend may see from a client, spelt as CGI, WSGI and PHP fold them. */
const kept = new RegExp(
  `^(?:${[
    ...[
      'host',
      'authorization',
      'destination',
      'if',
      'referer',
      'apitoken',
      'expect',
      'content-length',
      'transfer-encoding',
    ],
    ...[
      'connection',
      'keep-alive',
      'proxy-connection',
      'proxy-authorization',
      'te',
      'trailer',
      'upgrade',
      'proxy',
    ],
    ...[
      'x-remote-.*',
      'remote-.*',
      'x-latchkey-.*',
      'company-user',
      'x-auth-user',
      'x-authenticated-.*',
      'client-cert.*',
    ],
    ...[
      'forwarded',
      'x-forwarded',
      'x-forwarded-.*',
      'x-real-ip',
      'x-request-id',
      'x-original-.*',
      'x-rewrite-ur[il]',
    ],
    ...['x-http-method', 'x-http-method-override', 'x-method-override', 'x-script-name', 'x-sendfile-type'],
  ].join('|')})$`,
);
const once = new RegExp(
  `^(?:${[
    ...[
      'depth',
      'overwrite',
      'lock-token',
      'timeout',
      'range',
      'content-range',
      'content-type',
      'content-encoding',
    ],
    ...['user-agent', 'upload-offset', 'upload-length', 'upload-metadata', 'x-update-range'],
    ...['if-range', 'if-modified-since', 'if-unmodified-since'],
  ].join('|')})$`,
);

/**
 * Whatever passes has one host, one unambiguous body, an ordinary path, and hands on only fields that may go on,
 * in the order they came; a client that is no trusted proxy chooses neither address nor scheme nor host; and the
 * head written out anew reads as the same.
 */
export function fuzz(input: Buffer): void {
  const request = readRequestText(input);
  for (const peer of [client, proxy]) {
    const inbound = inboundOf(request, peer);
    const head = readHead(inbound, deps);
    if (head.kind === 'deny') continue;
    assertTarget(head, inbound);
    assertBody(head, inbound.rawHeaders);
    assertPassed(head, inbound.rawHeaders);
    assertClientSide(head, inbound);
    if (peer === client)
      assert.deepEqual(readHead(regenerated(head, inbound), deps), head, 'written out anew it is the same');
  }
}

function assertTarget(head: RequestHead, { target, method, rawHeaders }: Inbound): void {
  assert.ok(method !== 'TRACE' && method !== 'CONNECT');
  assert.ok(target.length <= targetBytesMax && rawHeaders.length <= 2 * fieldsMax);
  assert.match(target, /^[!"$-[\]-~]+$/, 'visible ASCII without # and backslash');
  assertOrdinary(head.rawPath, head.path);
  const written = target.startsWith('/') ? target : target.replace(/^https?:\/\/[^/?]+/i, '');
  const origin = written.startsWith('/') ? written : `/${written}`;
  assert.equal(head.rawPath + origin.slice(head.rawPath.length), origin, 'the path keeps its bytes');
  const rest = origin.slice(head.rawPath.length);
  assert.ok(rest === '' ? head.query === '' : rest === `?${head.query}`);
  const [host = ''] = valuesOf(rawHeaders, 'host');
  assert.equal(valuesOf(rawHeaders, 'host').length, 1);
  assert.match(host, /^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?$/);
  if (!target.startsWith('/'))
    assert.equal(/^https?:\/\/([^/?]+)/i.exec(target)?.[1]?.toLowerCase(), host.toLowerCase());
}

function assertBody(head: RequestHead, rawHeaders: readonly string[]): void {
  const lengths = valuesOf(rawHeaders, 'content-length');
  const codings = valuesOf(rawHeaders, 'transfer-encoding');
  assert.ok(lengths.length + codings.length <= 1, 'the body is framed in one way');
  if (head.body === 'chunked') assert.match(codings[0] ?? '', /^chunked$/i);
  else assert.equal(codings.length, 0);
  if (typeof head.body === 'number') assert.ok(Number.isSafeInteger(head.body) && head.body > 0);
  if (lengths[0] !== undefined) assert.match(lengths[0], /^[0-9]+$/);
  assert.equal(head.body === 'chunked' ? 0 : head.body === 'none' ? 0 : head.body, Number(lengths[0] ?? 0));
  const expects = valuesOf(rawHeaders, 'expect');
  assert.ok(expects.every((value) => value.toLowerCase() === '100-continue') && expects.length <= 1);
}

function assertPassed(head: RequestHead, rawHeaders: readonly string[]): void {
  const nominated = new Set(
    valuesOf(rawHeaders, 'connection').flatMap((value) =>
      value.split(',').map((name) => name.trim().toLowerCase()),
    ),
  );
  const seen = new Set<string>();
  let from = 0;
  for (let at = 0; at < head.passed.length; at += 2) {
    const [name = '', value] = head.passed.slice(at, at + 2);
    while (from < rawHeaders.length && !(rawHeaders[from] === name && rawHeaders[from + 1] === value))
      from += 2;
    assert.ok(from < rawHeaders.length, 'fields keep bytes and order');
    from += 2;
    const lower = name.toLowerCase();
    const folded = lower.replace(/[^a-z0-9]/g, '-');
    assert.doesNotMatch(folded, kept, `"${name}" is handed on`);
    assert.ok(!nominated.has(lower), 'what Connection nominates ends here');
    assert.ok(!once.test(folded) || !seen.has(folded), 'a singleton stands once, in any spelling');
    if (once.test(folded)) seen.add(folded);
  }
}

function assertClientSide(head: RequestHead, { peerAddress, rawHeaders }: Inbound): void {
  assert.doesNotMatch(head.forwardedFor, /[^0-9a-fA-F:., unkow]/, 'addresses, or that they are unknown');
  assert.ok(head.forwardedFor === peerAddress || head.forwardedFor.endsWith(`, ${peerAddress}`));
  assert.ok(head.forwardedFor.startsWith(head.clientAddress));
  if (peerAddress !== client) return;
  assert.deepEqual([head.clientAddress, head.forwardedFor, head.scheme], [client, client, 'http']);
  assert.equal(head.host, valuesOf(rawHeaders, 'host')[0]?.toLowerCase());
}

/** The head as a request again, from what was read alone. */
function regenerated(head: RequestHead, inbound: Inbound): Inbound {
  const fields: [string, string | null][] = [
    ['Host', head.host],
    ['Authorization', head.authorization],
    ['Destination', head.destination],
    ['If', head.ifHeader],
    ['Referer', head.referer],
    ['X-HTTP-Method-Override', head.methodOverride],
    ['Transfer-Encoding', head.body === 'chunked' ? 'chunked' : null],
    ['Content-Length', typeof head.body === 'number' ? String(head.body) : null],
  ];
  return {
    ...inbound,
    target: head.query === '' ? head.rawPath : `${head.rawPath}?${head.query}`,
    rawHeaders: [
      ...fields.flatMap(([name, value]) => (value === null ? [] : [name, value])),
      ...head.passed,
      ...head.credentialFields.flat(),
    ],
  };
}
