import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Allowance, Asked } from '../../../src/doors/ask.ts';
import { checkResponse } from '../../../src/doors/envoy-grpc/check-response.ts';
import { readCheckRequest } from '../../../src/doors/envoy-grpc/check-request.ts';
import type { CheckRequest, HttpRequest } from '../../../src/doors/envoy-grpc/messages.ts';
import { settledFields } from '../../../src/doors/envoy-fields.ts';
import { createClientSideReader } from '../../../src/gateway/client-side.ts';

const nobody = createClientSideReader([]);

const http: HttpRequest = {
  method: 'GET',
  path: '/dav/a?x=1',
  host: 'files.example.org',
  scheme: 'https',
  headers: { ':method': 'GET', ':path': '/dav/a?x=1', ':authority': 'files.example.org', accept: '*/*' },
};

function question(change: Partial<HttpRequest>, address: string | null = '192.0.2.7'): CheckRequest {
  const source = address === null ? {} : { address: { socketAddress: { address } } };
  return { attributes: { source, request: { http: { ...http, ...change } } } };
}

function raw(...lines: readonly (readonly [string, string | Uint8Array])[]): Partial<HttpRequest> {
  const headers = lines.map(([key, value]) => ({ key, rawValue: Buffer.from(value as string) }));
  return { headers: {}, headerMap: { headers } };
}

function asked(change: Partial<HttpRequest>): Asked {
  const read = readCheckRequest(question(change), nobody);
  if (typeof read === 'string') throw new Error(read);
  return read;
}

describe('a question of Envoy', () => {
  test('is the request that the client sent', () => {
    const { method, target, host, scheme, clientAddress, rawHeaders } = asked({});
    assert.deepEqual(
      { method, target, host, scheme, clientAddress, rawHeaders },
      {
        ...{ method: 'GET', target: '/dav/a?x=1', host: 'files.example.org', scheme: 'https' },
        ...{ clientAddress: '192.0.2.7', rawHeaders: ['accept', '*/*'] },
      },
    );
  });

  test('keeps every raw line, byte for byte', () => {
    const lines = raw([':path', '/dav/a?x=1'], ['depth', '0'], ['Depth', '1'], ['x', Buffer.from([0xfc])]);
    assert.deepEqual(asked(lines).rawHeaders, ['depth', '0', 'depth', '1', 'x', '\xfc']);
  });

  test('takes joined headers as the bytes they were', () => {
    const { rawHeaders } = asked({ headers: { 'x-name': 'Jürgen' } });
    assert.deepEqual(rawHeaders, ['x-name', Buffer.from('Jürgen').toString('latin1')]);
  });

  test('believes X-Forwarded-For only of proxies that are trusted', () => {
    const change = { headers: { 'x-forwarded-for': '203.0.113.9, 198.51.100.1' } };
    const of = (trusted: readonly string[]): unknown => {
      const read = readCheckRequest(question(change), createClientSideReader(trusted));
      return typeof read === 'string' ? read : read.clientAddress;
    };
    assert.equal(of([]), '192.0.2.7');
    assert.equal(of(['192.0.2.0/24']), '198.51.100.1');
    assert.equal(of(['192.0.2.0/24', '198.51.100.1']), '203.0.113.9');
  });

  const unreadable: readonly (readonly [string, CheckRequest])[] = [
    ['without attributes', {}],
    [
      'without a request',
      { attributes: { source: { address: { socketAddress: { address: '192.0.2.7' } } } } },
    ],
    ['that is not about HTTP', { attributes: { request: {} } }],
    ['without a method', question({ method: '' })],
    ['with a malformed method', question({ method: 'GET /' })],
    ['without a path', question({ path: '' })],
    ['with a path that is none', question({ path: 'dav/a' })],
    ['about every path', question({ path: '*' })],
    ['without a host', question({ host: '' })],
    ['without a scheme', question({ scheme: '' })],
    ['with another scheme', question({ scheme: 'ftp' })],
    ['without an address', question({}, null)],
    ['with a pipe for an address', question({}, '/run/envoy.sock')],
    ['without headers', question({ headers: {} })],
    ['with headers in both forms', question({ headerMap: { headers: [{ key: 'a', value: 'b' }] } })],
    [
      'with a line in both forms',
      question({
        headers: {},
        headerMap: { headers: [{ key: 'a', value: 'b', rawValue: Buffer.from('c') }] },
      }),
    ],
    ['whose path is said twice', question({ headers: { ':path': '/dav/b' } })],
    ['whose method is said twice', question(raw([':method', 'GET'], [':method', 'PUT']))],
    ['whose host is said twice', question({ headers: { host: 'elsewhere.example.org' } })],
    ['with another pseudo-header', question({ headers: { ':protocol': 'websocket' } })],
    ['with a header that has no name', question(raw(['', 'x']))],
    ['with a header name of two lines', question({ headers: { 'a\r\nb': 'x' } })],
    ['with a header value of two lines', question({ headers: { a: 'x\r\nb: y' } })],
  ];
  for (const [title, request] of unreadable) {
    test(`${title} is refused without being asked`, () => {
      const read = readCheckRequest(request, nobody);
      assert.equal(typeof read, 'string');
      assert.doesNotMatch(read as string, /dav|elsewhere|\n/);
    });
  }
});

const allowance: Allowance = {
  kind: 'allow',
  fields: ['X-Remote-User', Buffer.from('jürgen').toString('latin1')],
  removed: ['authorization', 'X_Remote_User', 'x-remote-user'],
  target: '/dav/a?x=1',
};

describe('what Envoy is told', () => {
  test('of an allowed request: identity is set, and no name is set and removed', () => {
    const { status, okResponse } = checkResponse(allowance, asked({}));
    assert.equal(status.code, 0);
    assert.deepEqual(okResponse?.headers, [
      { header: { key: 'x-remote-user', value: 'jürgen' }, append: { value: false } },
    ]);
    assert.ok(okResponse?.headersToRemove.includes('x_remote_user'));
    assert.ok(!okResponse?.headersToRemove.includes('x-remote-user'));
  });

  test('a decisive field is set as it was looked at, or removed where it was not shown', () => {
    const { set, removed } = settledFields(allowance, asked({ headers: { destination: '/dav/b' } }));
    assert.deepEqual(set.slice(2), ['destination', '/dav/b']);
    for (const name of ['if', 'depth', 'overwrite', 'upload-metadata', 'x-http-method', 'cookie']) {
      assert.ok(removed.includes(name), name);
    }
    const dropped = settledFields(
      { ...allowance, removed: ['Destination'] },
      asked({ headers: { destination: '/' } }),
    );
    assert.ok(dropped.removed.includes('destination') && !dropped.set.includes('destination'));
  });

  test('another path, where a credential stood in the query', () => {
    const { okResponse } = checkResponse({ ...allowance, target: '/dav/a' }, asked({}));
    assert.deepEqual(okResponse?.headers.at(-1)?.header, { key: ':path', value: '/dav/a' });
  });

  test('what cannot be said to Envoy is removed instead', () => {
    const fields = ['Cookie', '\xfc'];
    const { okResponse } = checkResponse({ ...allowance, fields }, asked({}));
    assert.deepEqual(okResponse?.headers, []);
    assert.ok(okResponse?.headersToRemove.includes('cookie'));
  });

  test('a request that would be another without what cannot be said is refused', () => {
    const { okResponse, deniedResponse } = checkResponse(
      allowance,
      asked(raw(['if', Buffer.from([0x22, 0xfc])])),
    );
    assert.equal(okResponse, undefined);
    assert.equal(deniedResponse?.status.code, 400);
  });

  for (const [status, code] of [
    [401, 16],
    [403, 7],
    [429, 7],
    [500, 14],
    [503, 14],
  ] as const) {
    test(`a refusal with ${status} is a denial with its status, fields and text`, () => {
      const fields = ['Content-Length', '2', 'WWW-Authenticate', 'Basic', 'WWW-Authenticate', 'Bearer'];
      const {
        status: rpc,
        deniedResponse,
        okResponse,
      } = checkResponse({ kind: 'refuse', status, fields, body: 'no', challenge: [] }, asked({}));
      assert.equal(rpc.code, code);
      assert.equal(okResponse, undefined);
      assert.equal(deniedResponse?.status.code, status);
      assert.equal(deniedResponse?.body, 'no');
      assert.deepEqual(
        deniedResponse?.headers.map(({ header }) => header.value),
        ['Basic', 'Bearer'],
      );
    });
  }
});
