import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Addresses, clientHead } from '../../../src/gateway/response-head.ts';

const addresses: Addresses = {
  backendAuthorities: ['gw.example', '127.0.0.1:8008'],
  clientOrigin: 'https://gw.example',
  besideOwnPages: false,
};

function locationFor(value: string, to: Addresses = addresses): string | undefined {
  return clientHead({ location: value }, to).fields[1];
}

describe('a response head for the client', () => {
  test('keeps fields and their order, in the spelling people know', () => {
    const head = clientHead({ date: 'now', etag: '"1"', dav: '1,2', 'x-own-thing': 'yes' }, addresses);
    assert.deepEqual(head.fields, ['Date', 'now', 'ETag', '"1"', 'DAV', '1,2', 'x-own-thing', 'yes']);
  });

  test('keeps several values of one name apart, as Set-Cookie needs (RFC 9110 section 5.3)', () => {
    const head = clientHead({ 'set-cookie': ['a=1', 'b=2'] }, addresses);
    assert.deepEqual(head.fields, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']);
  });

  test('has no cookie of our own pages, whichever name over https or plain HTTP', () => {
    const cookies = ['__Host-latchkey=x; Path=/', 'latchkey_session=x', ' latchkey_visitor=x', 'theirs=1'];
    const head = clientHead({ 'set-cookie': cookies }, addresses);
    assert.deepEqual(head.fields, ['Set-Cookie', 'theirs=1']);
    assert.deepEqual(clientHead({ 'set-cookie': cookies.slice(0, 1) }, addresses).fields, []);
  });

  test('gives a page an origin of its own where our pages are, whatever policy it has', () => {
    const head = clientHead(
      { 'content-security-policy': "default-src 'self'", 'service-worker-allowed': '/' },
      { ...addresses, besideOwnPages: true },
    );
    const [first, theirs, second, ours, ...rest] = head.fields;
    assert.deepEqual(
      [first, theirs, second],
      ['Content-Security-Policy', "default-src 'self'", 'Content-Security-Policy'],
    );
    assert.match(ours ?? '', /^sandbox /);
    assert.doesNotMatch(ours ?? '', /allow-same-origin|allow-top-navigation/);
    assert.deepEqual(rest, []);
  });

  test('leaves hop-by-hop fields behind (RFC 9110 section 7.6.1)', () => {
    const names = ['connection', 'keep-alive', 'proxy-authenticate', 'proxy-connection'];
    for (const name of [...names, 'te', 'trailer', 'transfer-encoding', 'upgrade']) {
      assert.deepEqual(clientHead({ [name]: 'x', vary: '*' }, addresses).fields, ['Vary', '*'], name);
    }
  });

  test('leaves what Connection nominates behind, wherever it stands, but not the length', () => {
    const head = clientHead(
      { 'x-hop': '1', 'content-length': '5', connection: 'close, X-Hop, Content-Length', vary: '*' },
      addresses,
    );
    assert.deepEqual(head, { fields: ['Content-Length', '5', 'Vary', '*'], lengthBytes: 5 });
  });

  test('tells the length, or null where there is none', () => {
    assert.equal(clientHead({ 'content-length': '1024' }, addresses).lengthBytes, 1024);
    assert.equal(clientHead({ 'transfer-encoding': 'chunked' }, addresses).lengthBytes, null);
  });

  test('passes a field called __proto__ like any other', () => {
    const headers = Object.defineProperty({}, '__proto__', { value: 'x', enumerable: true });
    assert.deepEqual(clientHead(headers as Record<string, string>, addresses).fields, ['__proto__', 'x']);
  });
});

describe('a Location from the backend', () => {
  test('on its own authority, or on the Host it was sent, becomes ours', () => {
    assert.equal(locationFor('http://127.0.0.1:8008/a?b#c'), 'https://gw.example/a?b#c');
    assert.equal(locationFor('HTTP://GW.Example/a'), 'https://gw.example/a');
    assert.equal(locationFor('http://gw.example'), 'https://gw.example');
  });

  test('without a scheme becomes ours too: the inner address is of no use to a client', () => {
    assert.equal(locationFor('//127.0.0.1:8008/a'), 'https://gw.example/a');
  });

  test('is ours with the default port written out or left out', () => {
    assert.equal(locationFor('http://gw.example:80/a'), 'https://gw.example/a');
    assert.equal(locationFor('https://gw.example:443/a'), 'https://gw.example/a');
    const ported = { ...addresses, backendAuthorities: ['inner:80'] };
    assert.equal(locationFor('http://inner/a', ported), 'https://gw.example/a');
  });

  test('on another host, port or scheme, or relative, stays as it is', () => {
    const others = [
      '/a',
      'a',
      '?q',
      '',
      'http://other.example/a',
      'http://gw.example:8080/a',
      'http://gw.example:443/a',
      'http://gw.example.evil.test/a',
      'http://gw.example@evil.test/a',
      'ftp://gw.example/a',
      'urn:uuid:1',
      'http:/gw.example/a',
    ];
    for (const value of others) assert.equal(locationFor(value), value);
  });

  test('maps exactly where a URL parser finds scheme http(s) and one of our authorities', () => {
    const authority = fc.constantFrom(
      'gw.example',
      'GW.example',
      '127.0.0.1:8008',
      'gw.example:80',
      'gw.example:443',
      'b',
      'x@gw.example',
    );
    const scheme = fc.constantFrom('http:', 'https:', 'HTTP:', 'ftp:');
    const rest = fc.constantFrom('', '/', '/a/b', '/a?b=//gw.example', '?x', '#y', '/%2F');
    fc.assert(
      fc.property(scheme, authority, rest, (s, a, r) => {
        const url = new URL(`${s}//${a}${r}`);
        const known = addresses.backendAuthorities.map((one) => new URL(`${url.protocol}//${one}`).host);
        const ours = url.protocol !== 'ftp:' && url.username === '' && known.includes(url.host);
        assert.equal(locationFor(`${s}//${a}${r}`), ours ? `https://gw.example${r}` : `${s}//${a}${r}`);
      }),
    );
  });

  test('is mapped in Content-Location and for each of several values', () => {
    const head = clientHead({ 'content-location': ['http://gw.example/a', '/b'] }, addresses);
    assert.deepEqual(head.fields, ['Content-Location', 'https://gw.example/a', 'Content-Location', '/b']);
  });
});
