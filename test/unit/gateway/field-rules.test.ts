import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { createFieldRules, foldFieldName } from '../../../src/gateway/field-rules.ts';
import { identityNames, passing, read, refusal, rules } from './head-fixture.ts';

const hopByHop = [
  ...[
    'connection',
    'keep-alive',
    'proxy-connection',
    'proxy-authorization',
    'proxy-authenticate',
    'te',
    'trailer',
  ],
  ...['transfer-encoding', 'upgrade', 'http2-settings', 'content-length', 'expect', 'host'],
];
const gatewayOnly = [
  ...['forwarded', 'x-forwarded', 'x-forwarded-for', 'x-forwarded-user', 'x-forwarded-prefix', 'x-real-ip'],
  ...['x-original-url', 'x-rewrite-url', 'x-latchkey-user', 'x-auth-request-user', 'x-authenticated-groups'],
  ...['remote-user', 'remote-groups', 'x-remote-user', 'x-webauth-user', 'x-request-id', 'x-host', 'proxy'],
  ...[
    'x-ms-client-principal-name',
    'x-goog-iap-jwt-assertion',
    'cf-access-jwt-assertion',
    'tailscale-user-login',
  ],
  ...['client-cert', 'client-cert-chain', 'x-client-cert', 'ssl-client-verify', 'x-ssl-client-s-dn'],
  ...['x-pomerium-jwt-assertion', 'x-vouch-user', 'x-amzn-oidc-identity', 'x-auth-user', 'auth-user'],
  ...['wl-proxy-client-ip', 'x-ssl-cert', 'x-tls-client-cert', 'x-amzn-mtls-clientcert', 'x-arr-clientcert'],
  ...['x-script-name', 'script-name', 'path-info', 'x-path-info', 'x-rewrite-uri', 'x-override-url'],
  ...['x-sendfile-type', 'x-accel-mapping', 'x-authentik-username', 'company-user', 'company.user'],
];
const singletons = [
  ...['authorization', 'destination', 'if', 'depth', 'overwrite', 'lock-token', 'content-type', 'user-agent'],
  ...['referer', 'timeout', 'range', 'content-range', 'if-range', 'if-modified-since', 'if-unmodified-since'],
  ...['x-update-range', 'upload-offset', 'upload-length', 'upload-metadata', 'x-http-method', 'apitoken'],
];

/** The same name in another spelling: other case, other separators. */
function spelled(name: string): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }),
      fc.array(fc.constantFrom('-', '_', '.', '~'), { minLength: 10, maxLength: 10 }),
    )
    .map(([upper, separators]) => {
      let separator = 0;
      return Array.from(name)
        .map((one, at) => (/[a-z]/.test(one) ? (upper[at % 40] ? one.toUpperCase() : one) : one))
        .map((one) => (one === '-' ? (separators[separator++ % 10] as string) : one))
        .join('');
    });
}

const anyName = fc.oneof(
  fc.constantFrom(...hopByHop, ...gatewayOnly, ...singletons).chain(spelled),
  fc.constantFrom('Accept', 'Cookie', 'X-Trace', 'If-Match', 'Accept-Language', '__proto__', 'constructor'),
  fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,30}$/),
);
const anyField = fc.tuple(anyName, fc.constantFrom('x', '1', 'close', '100-continue'));

describe('whatever the reader lets through', () => {
  const forbidden = new Set(
    [...hopByHop, ...gatewayOnly, ...identityNames].map((name) => foldFieldName(name.toLowerCase())),
  );

  test('holds no identity, forwarding or hop-by-hop field under any spelling, and no singleton twice', () => {
    fc.assert(
      fc.property(fc.array(anyField, { maxLength: 12 }), (fields) => {
        const head = read(fields.flat());
        if (head.kind === 'deny') return;
        const names = head.passed.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase());
        for (const name of names) assert.ok(!forbidden.has(foldFieldName(name)), name);
        for (const name of names.filter((one) => singletons.includes(one))) {
          assert.equal(names.filter((one) => one === name).length, 1, name);
        }
        assert.ok(
          !names.includes('authorization') && !names.includes('apitoken') && !names.includes('destination'),
        );
      }),
      { numRuns: 1_500 },
    );
  });

  test('is in order, in its own spelling, and among what was sent', () => {
    fc.assert(
      fc.property(fc.array(anyField, { maxLength: 12 }), (fields) => {
        const head = read(fields.flat());
        if (head.kind === 'deny') return;
        let from = 0;
        for (let at = 0; at < head.passed.length; at += 2) {
          from = 1 + fields.findIndex(([name], index) => index >= from && name === head.passed[at]);
          assert.ok(from > 0, head.passed[at]);
          assert.equal(fields[from - 1]?.[1], head.passed[at + 1]);
        }
      }),
    );
  });
});

describe('a field', () => {
  test('of no meaning to the gateway passes as often as it stands', () => {
    const fields = [
      'Cookie',
      'a=b',
      'If-Match',
      '"1"',
      'If-Match',
      '"2"',
      'cookie',
      'c=d',
      'X_Own.Thing',
      'é',
    ];
    assert.deepEqual(passing(fields).passed, fields);
  });

  test('that may stand once is refused the second time, in whatever spelling of case', () => {
    for (const name of singletons) {
      assert.equal(refusal([name, 'x', name.toUpperCase(), 'x']), 'duplicate_header', name);
    }
  });

  test('that overrides the method counts once under its three names', () => {
    assert.equal(passing(['X-HTTP-Method', 'DELETE']).methodOverride, 'DELETE');
    assert.equal(refusal(['X-HTTP-Method', 'A', 'X-Method-Override', 'A']), 'duplicate_header');
  });

  test('in an alias spelling of one that is interpreted does not pass: the backend would read another value', () => {
    assert.deepEqual(
      passing(['Content_Type', 'x', 'Lock_Token', 'y', 'api_Token', 'z', 'X_Http_Method', 'w']).passed,
      ['api_Token', 'z'],
    );
  });

  test('that carries a credential is kept apart, under its name in lower case', () => {
    const head = passing(['APItoken', 'lk_x', 'Accept', 'y']);
    assert.deepEqual([head.credentialFields, head.passed], [[['apitoken', 'lk_x']], ['Accept', 'y']]);
  });

  test('that an identity name with a dot folds to does not pass: servers take the two for one', () => {
    assert.deepEqual(passing(['Company-User', 'root', 'company_user', 'root']).passed, []);
  });
});

describe('the table of rules', () => {
  test('does not slow down or grow under names it has never seen', () => {
    for (let at = 0; at < 5_000; at++) assert.equal(rules.ruleOf(`x-noise-${at}`), null);
    assert.equal(rules.ruleOf('X_Remote_User')?.kind, 'drop');
    assert.equal(rules.ruleOf('HOST')?.kind, 'once');
  });

  test('takes a name that both identifies and authenticates for a credential: it is never passed on', () => {
    const both = createFieldRules(['X-Token'], ['x-token']);
    assert.equal(both.ruleOf('X-Token')?.kind, 'credential');
  });
});
