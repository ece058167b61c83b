import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fieldsMax, targetBytesMax } from '../../../src/gateway/read-head.ts';
import { passing, refusal } from './head-fixture.ts';

describe('the method', () => {
  test('TRACE and CONNECT are refused (RFC 9110 section 9.3)', () => {
    assert.equal(refusal([], { method: 'TRACE' }), 'method_refused');
    assert.equal(refusal([], { method: 'CONNECT', target: 'gw.example:443' }), 'method_refused');
  });
});

describe('the version', () => {
  test('is HTTP/1.0 or HTTP/1.1; the parser takes others for them', () => {
    for (const httpVersion of ['0.9', '2.0', '1.2', '3.0'])
      assert.equal(refusal(['Host', 'gw.example'], { httpVersion }), 'malformed_request');
    for (const httpVersion of ['1.0', '1.1']) assert.equal(refusal([], { httpVersion }), 'head');
  });
});

describe('the target', () => {
  test('in origin-form keeps its bytes and is split at the first question mark', () => {
    const head = passing([], { target: '/a%20b/c?x=1?y#'.replace('#', '') });
    assert.deepEqual([head.path, head.rawPath, head.query], ['/a b/c', '/a%20b/c', 'x=1?y']);
  });

  test('in absolute-form must name our host (RFC 9112 section 3.2.2)', () => {
    assert.equal(passing([], { target: 'http://gw.example/a?b' }).rawPath, '/a');
    assert.equal(passing([], { target: 'HTTPS://GW.example?b' }).query, 'b');
    assert.equal(passing([], { target: 'http://gw.example' }).rawPath, '/');
    const foreign = ['http://evil.test/a', 'http://gw.example:81/a', 'http://x@gw.example/a', 'http:///a'];
    for (const target of foreign) assert.equal(refusal([], { target }), 'misdirected', target);
  });

  test('in any other form is refused', () => {
    for (const target of ['*', 'a', '', 'gw.example:80', 'ftp://gw.example/', '?x', 'http:/gw.example/']) {
      assert.equal(refusal([], { target }), 'malformed_target', target);
    }
  });

  test('with a fragment, a backslash, space, control or non-ASCII is refused, also in the query', () => {
    for (const bad of ['#', '\\', ' ', '\t', '\u0000', '\u007f', 'é']) {
      assert.equal(refusal([], { target: `/a${bad}` }), 'malformed_target');
      assert.equal(refusal([], { target: `/a?b${bad}` }), 'malformed_target');
      assert.equal(refusal([], { target: `http://gw.example/a?b${bad}` }), 'malformed_target');
    }
  });

  test('with dot segments, empty segments or encoded delimiters is refused', () => {
    for (const path of ['/../a', '/a/./b', '//a', '/a//b', '/a%2fb', '/a/%2e%2e/b', '/a/..;x/b', '/%zz']) {
      assert.equal(refusal([], { target: path }), 'malformed_target', path);
    }
  });

  test('beyond its longest is refused as too long', () => {
    assert.equal(refusal([], { target: `/${'a'.repeat(targetBytesMax - 1)}` }), 'head');
    assert.equal(refusal([], { target: `/${'a'.repeat(targetBytesMax)}` }), 'target_too_long');
  });
});

describe('the host', () => {
  const host = (...values: string[]): string =>
    refusal([], { rawHeaders: values.flatMap((value) => ['Host', value]) });

  test('must stand exactly once, in HTTP/1.0 too (RFC 9112 section 3.2)', () => {
    assert.equal(host(), 'malformed_host');
    assert.equal(refusal([], { rawHeaders: [], httpVersion: '1.0' }), 'malformed_host');
    assert.equal(host('gw.example', 'gw.example'), 'duplicate_header');
  });

  test('may be a name, an address, an IPv6 literal, with a port or a final dot', () => {
    for (const value of ['gw', 'GW.Example', 'a_b.c', 'gw.example.', '127.0.0.1:80', '[::1]', '[::1]:8080']) {
      assert.equal(host(value), 'head', value);
    }
  });

  test('with anything else in it is refused', () => {
    const bad = [
      '',
      ' ',
      'a b',
      'a,b',
      'a@b',
      'a/b',
      'a?b',
      'a:',
      'a:b',
      'a:123456',
      ':80',
      '[::1',
      '::1',
      'é',
    ];
    for (const value of [...bad, 'a%20b', 'a\\b', '-a', '.a', '[a]b', '[::1]x']) {
      assert.equal(host(value), 'malformed_host', value);
    }
  });

  test('is lower case for decisions', () => {
    assert.equal(passing([], { rawHeaders: ['hOsT', 'GW.Example:80'] }).host, 'gw.example:80');
  });

  test('that a trusted proxy forwards counts, and must be one authority', () => {
    const change = { peerAddress: '10.0.0.1' };
    assert.equal(passing(['X-Forwarded-Host', 'Public.Example'], change).host, 'public.example');
    assert.equal(refusal(['X-Forwarded-Host', 'a, b'], change), 'malformed_host');
    assert.equal(refusal(['X-Forwarded-Host', 'a', 'X-Forwarded-Host', 'b'], change), 'malformed_host');
    assert.equal(passing(['X-Forwarded-Host', 'evil.test']).host, 'gw.example');
  });
});

describe('the framing (RFC 9112 section 6)', () => {
  const framing = (fields: string[], httpVersion = '1.1'): unknown => {
    const code = refusal(fields, { httpVersion, method: 'PUT' });
    return code === 'head' ? passing(fields, { httpVersion, method: 'PUT' }).body : code;
  };

  test('is none, a length, or chunked', () => {
    assert.equal(framing([]), 'none');
    assert.equal(framing(['Content-Length', '0']), 'none');
    assert.equal(framing(['Content-Length', '0005']), 5);
    assert.equal(framing(['Transfer-Encoding', 'Chunked']), 'chunked');
  });

  test('by a length that is not all digits is refused', () => {
    for (const length of ['+5', '-1', '5, 5', '5 ', '0x5', '1e3', '', '٣', '9'.repeat(16), '5\t']) {
      assert.equal(framing(['Content-Length', length]), 'malformed_request', length);
    }
  });

  test('by any other coding, by both, or by chunks in HTTP/1.0 is refused', () => {
    for (const coding of ['gzip, chunked', ',chunked', 'chunked, chunked', 'identity', 'chunked;x', '']) {
      assert.equal(framing(['Transfer-Encoding', coding]), 'malformed_request', coding);
    }
    assert.equal(framing(['Transfer-Encoding', 'chunked', 'Content-Length', '5']), 'malformed_request');
    assert.equal(framing(['Transfer-Encoding', 'chunked'], '1.0'), 'malformed_request');
  });

  test('stated twice is refused, also where both agree', () => {
    assert.equal(framing(['Content-Length', '5', 'content-length', '5']), 'duplicate_header');
    assert.equal(
      framing(['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked']),
      'duplicate_header',
    );
  });

  test('is not stated by an alias spelling, which does not pass either', () => {
    const head = passing(['Content_Length', '5', 'Transfer.Encoding', 'chunked']);
    assert.deepEqual([head.body, head.passed], ['none', []]);
  });

  test('is never passed on as a field: it is made anew', () => {
    assert.deepEqual(passing(['Content-Length', '5', 'Content-Type', 'a/b']).passed, ['Content-Type', 'a/b']);
  });
});

describe('Expect', () => {
  test('100-continue is understood, in HTTP/1.0 too, and not passed on', () => {
    assert.deepEqual(passing(['Expect', '100-Continue']).passed, []);
    assert.deepEqual(passing(['Expect', '100-continue'], { httpVersion: '1.0' }).passed, []);
  });

  test('of anything else is refused', () => {
    for (const value of ['x 100-continue', '100-continue, x', '', '200-ok']) {
      assert.equal(refusal(['Expect', value]), 'expectation_failed', value);
    }
    assert.equal(refusal(['Expect', '100-continue', 'Expect', '100-continue']), 'duplicate_header');
  });
});

describe('Connection (RFC 9110 section 7.6.1)', () => {
  test('takes the fields it nominates along', () => {
    const head = passing(['X-Hop', '1', 'Cookie', 'a=b', 'Connection', 'close, x-hop ,,', 'Accept', '*/*']);
    assert.deepEqual(head.passed, ['Cookie', 'a=b', 'Accept', '*/*']);
  });

  test('may stand on several lines, as any list', () => {
    const head = passing([
      'Connection',
      'X-Hop',
      'X-Hop',
      '1',
      'X-Other',
      '2',
      'Connection',
      'Keep-Alive, X-Other',
    ]);
    assert.deepEqual(head.passed, []);
  });

  test('may not nominate a field that decisions, framing or a backend rest on', () => {
    for (const name of [
      'Host',
      'content-length',
      'Transfer-Encoding',
      'Authorization',
      'Destination',
      'If',
      'Depth',
    ]) {
      assert.equal(refusal(['Connection', `close, ${name}`]), 'malformed_request', name);
    }
    for (const name of [
      'Overwrite',
      'Lock-Token',
      'X-HTTP-Method-Override',
      'Range',
      'apiToken',
      'Connection',
    ]) {
      assert.equal(refusal(['Connection', 'close', 'Connection', name]), 'malformed_request', name);
    }
  });

  test('nominating identity and forwarding fields changes nothing: they are gone before', () => {
    assert.equal(
      refusal(['Connection', 'X-Remote-User, X-Forwarded-For, TE, Upgrade, HTTP2-Settings']),
      'head',
    );
  });
});

describe('the number of fields', () => {
  const fields = (count: number): string[] =>
    Array.from({ length: count }, (_, at) => [`X-${at}`, 'v']).flat();

  test('has an upper bound, Host included', () => {
    assert.equal(refusal(fields(fieldsMax - 1)), 'head');
    assert.equal(refusal(fields(fieldsMax)), 'head_too_large');
  });
});
