import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type AcceptedChannels,
  type Presented,
  presentedCredential,
} from '../../../src/gateway/credential.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { mintToken } from '../../../src/tokens/mint.ts';
import type { Credential } from '../../../src/tokens/verification.ts';
import { passing } from './head-fixture.ts';

const everything: AcceptedChannels = {
  basic: true,
  bearer: true,
  headers: ['apitoken'],
  queries: ['session'],
};
const noQuery: AcceptedChannels = { basic: true, bearer: true, headers: [], queries: [] };
const token = `lk_${'aB3'.repeat(14)}`;

function present(fields: readonly string[], query = '', accepted = everything): Presented | string {
  const presented = presentedCredential(
    passing(fields, { target: query === '' ? '/' : `/?${query}` }),
    accepted,
  );
  return presented.kind === 'deny' ? presented.code : presented;
}

function credential(
  fields: readonly string[],
  query = '',
  accepted = everything,
): Credential | string | null {
  const presented = present(fields, query, accepted);
  return typeof presented === 'string' ? presented : presented.credential;
}

function queryLeft(query: string, accepted = everything): string {
  const presented = present([], query, accepted);
  return typeof presented === 'string' ? presented : presented.query;
}

const base64 = (text: string | Uint8Array): string => Buffer.from(text).toString('base64');
const basic = (text: string | Uint8Array): readonly string[] => ['Authorization', `Basic ${base64(text)}`];

describe('a Basic credential (RFC 7617)', () => {
  test('is split at the first colon', () => {
    assert.deepEqual(credential(basic('alice:a:b')), { channel: 'basic', user: 'alice', secret: 'a:b' });
    assert.deepEqual(credential(basic(':')), { channel: 'basic', user: '', secret: '' });
  });

  test('may write its scheme in any case, with several spaces, without padding', () => {
    const expected = { channel: 'basic', user: 'al', secret: 'x' };
    for (const value of ['bAsIc YWw6eA==', 'Basic   YWw6eA==', 'Basic YWw6eA', 'Basic YWw6eA== ']) {
      assert.deepEqual(credential(['Authorization', value]), expected, value);
    }
  });

  test('is read as UTF-8', () => {
    assert.deepEqual(credential(basic('jürgen:grün')), { channel: 'basic', user: 'jürgen', secret: 'grün' });
    assert.deepEqual(credential(basic('\u{feff}a:b')), { channel: 'basic', user: '\u{feff}a', secret: 'b' });
  });

  test('that is no base64, has no colon, is no UTF-8 or holds a control character is malformed', () => {
    const bad = [
      '',
      '=',
      'YWw6eA=',
      'YWw6e',
      'YWw6-A_=',
      'YW w6eA==',
      'YW\tw6eA==',
      '\tYWw6eA==',
      'YWw6eA==\u00a0',
      'é',
      '{}',
    ];
    for (const value of bad) {
      assert.equal(credential(['Authorization', `Basic ${value}`]), 'malformed_credential', value);
    }
    const badBytes = ['alice', 'a\u0000:b', 'a:b\n', 'a:\u007f', 'ü\r:b', [0x61, 0x3a, 0xff], [0xc0, 0xba]];
    for (const bytes of badBytes) {
      const encoded = typeof bytes === 'string' ? basic(bytes) : basic(Uint8Array.from(bytes));
      assert.equal(credential(encoded), 'malformed_credential', String(bytes));
    }
  });

  test('is what was encoded, for any user without a colon and any secret', () => {
    const text = fc.string({ unit: 'binary' }).map((one) => one.replace(/[\p{Cc}\p{Cs}]/gu, ''));
    fc.assert(
      fc.property(text, text, (name, secret) => {
        const user = name.replaceAll(':', '');
        assert.deepEqual(credential(basic(`${user}:${secret}`)), { channel: 'basic', user, secret: secret });
      }),
    );
  });
});

describe('a Bearer credential (RFC 6750 section 2.1)', () => {
  test('is one token', () => {
    assert.deepEqual(credential(['Authorization', `bearer  ${token}`]), { channel: 'bearer', secret: token });
  });

  test('with other characters, or empty, is malformed', () => {
    for (const value of [
      'Bearer',
      'Bearer ',
      'Bearer a b',
      'Bearer a,b',
      'Bearer =',
      'Bearer é',
      'Bearer "a"',
      'Bearer \ta',
      'Bearer \u00a0a',
    ]) {
      assert.equal(credential(['Authorization', value]), 'malformed_credential', value);
    }
  });
});

describe('any other Authorization', () => {
  test('is no credential, and is not passed on', () => {
    for (const value of ['', 'Digest a=b', 'Basic\tYWw6eA==', 'BasicYWw6eA==', token, 'Negotiate x']) {
      const presented = present(['Authorization', value]) as Presented;
      assert.deepEqual([presented.credential, presented.scheme], [null, 'other'], value);
    }
  });

  test('is no credential where the route does not accept its scheme', () => {
    const neither = { ...everything, basic: false, bearer: false };
    assert.equal(credential(basic('a:b'), '', neither), null);
    assert.equal(credential(['Authorization', `Bearer ${token}`], '', neither), null);
  });
});

describe('a credential in a header of its own', () => {
  test('counts on routes that accept it', () => {
    assert.deepEqual(credential(['ApiToken', token]), { channel: 'header', secret: token });
    assert.equal(credential(['ApiToken', token], '', noQuery), null);
  });
});

describe('a credential in the query', () => {
  test('counts on routes that accept it and is cut out; the rest keeps its bytes', () => {
    const presented = present([], `a=%41&session=${token}&&b=+`) as Presented;
    assert.deepEqual(presented.credential, { channel: 'query', secret: token });
    assert.equal(presented.query, 'a=%41&&b=+');
  });

  test('is found under a percent-encoded name and decoded', () => {
    assert.deepEqual(credential([], '%73essi%6Fn=a%2Bb+c'), { channel: 'query', secret: 'a+b c' });
    assert.equal(queryLeft('%73essi%6Fn=x'), '');
  });

  test('is found without a value, and with a value that cannot be decoded', () => {
    assert.deepEqual(credential([], 'session'), { channel: 'query', secret: '' });
    assert.deepEqual(credential([], 'session=%ff'), { channel: 'query', secret: '%ff' });
  });

  test('is never passed on under the standard name, in whatever encoding, on any route', () => {
    const encoded = [token, `%6ck_${token.slice(3)}`, `l%6B%5f${token.slice(3)}`];
    for (const value of encoded) {
      for (const name of ['access_token', '%61ccess_token', 'access%5Ftoken']) {
        assert.equal(queryLeft(`a=1&${name}=${value}&b=2`, noQuery), 'a=1&b=2', `${name}=${value}`);
        assert.equal(credential([], `${name}=${value}`, noQuery), null);
      }
    }
  });

  test('of another service under the standard name is none of ours', () => {
    assert.equal(queryLeft('access_token=abc&x=%20', noQuery), 'access_token=abc&x=%20');
  });

  test('leaves every other parameter as it was, in order, and no credential behind', () => {
    const name = fc.constantFrom(
      'a',
      'session',
      '%73ession',
      'Session',
      'access_token',
      'x%ff',
      '',
      'session%',
    );
    const value = fc.constantFrom('', '1', token, 'a%26b', '+', '%zz', 'session=1', `%6Ck_${token.slice(3)}`);
    const pair = fc.tuple(name, value, fc.boolean()).map(([n, v, bare]) => (bare ? n : `${n}=${v}`));
    fc.assert(
      fc.property(fc.array(pair), (pairs) => {
        const query = pairs.join('&');
        const presented = presentedCredential(passing([], { target: `/?${query}` }), everything);
        if (presented.kind === 'deny') return;
        const holds = (one: string): boolean => {
          const params = new URLSearchParams(one);
          return params.has('session') || params.getAll('access_token').some((v) => v.startsWith('lk_'));
        };
        assert.equal(presented.query, pairs.filter((one) => !holds(one)).join('&'));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a token that stands elsewhere in the target', () => {
  const minted = mintToken(systemRandom);
  const encoded = [minted, `%6ck_${minted.slice(3)}`, `l%6B%5F${minted.slice(3)}`];
  const refused = (target: string, accepted = noQuery): string => {
    const presented = presentedCredential(
      passing(['Authorization', `Bearer ${token}`], { target }),
      accepted,
    );
    return presented.kind === 'deny' ? presented.code : 'presented';
  };

  test('is refused under any parameter, as its name, within a value, in whatever encoding', () => {
    for (const value of encoded) {
      for (const query of [
        `foo=${value}`,
        value,
        `a=1&b=x${value}y&c`,
        `url=/a%3Ft%3D${value}`,
        `a=%ff${value}`,
      ]) {
        assert.equal(refused(`/?${query}`), 'token_in_url', query);
        assert.equal(refused(`/?${query}`, { ...everything, queries: ['other'] }), 'token_in_url', query);
      }
    }
  });

  test('is refused in the path', () => {
    for (const value of encoded) assert.equal(refused(`/dav/${value}.txt`), 'token_in_url', value);
  });

  test('is refused beside one that is accepted and cut out', () => {
    const target = `/?session=${token}&foo=${minted}`;
    const presented = presentedCredential(passing([], { target }), everything);
    assert.equal(presented.kind === 'deny' && presented.code, 'token_in_url');
  });

  test('is nothing but text where its checksum is wrong', () => {
    const wrong = minted.slice(0, -1) + (minted.endsWith('0') ? '1' : '0');
    assert.equal(refused(`/dav/${wrong}?foo=${wrong}&lk_=lk_&%6ck_`), 'presented');
    assert.equal(queryLeft(`foo=${wrong}`, noQuery), `foo=${wrong}`);
  });
});

describe('more than one credential', () => {
  test('is refused, whatever they hold and wherever they stand', () => {
    assert.equal(credential([...basic('a:b'), 'apiToken', token]), 'two_credentials');
    assert.equal(credential(basic('a:b'), 'session=x'), 'two_credentials');
    assert.equal(credential(['apiToken', token], 'session'), 'two_credentials');
    assert.equal(credential([], 'session=a&session=b'), 'two_credentials');
    assert.equal(credential([], `session=a&%73ession=a`), 'two_credentials');
    assert.equal(credential(basic('a:b'), `access_token=${token}`, noQuery), 'two_credentials');
    assert.equal(credential(['Authorization', 'Digest x'], 'session=a'), 'two_credentials');
  });
});
