import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, toYaml } from '../../../src/config/show.ts';
import { loaded, problems } from './in-memory-sources.ts';

/** A file with these ways to sign in. */
function ways(...lines: readonly string[]): string {
  return ['backend: http://127.0.0.1:8008', 'signIn:', '  ways:', ...lines.map((line) => `    ${line}`)].join(
    '\n',
  );
}

const ldap = 'kind: ldap, name: dir, baseDn: "dc=example"';
const oidc = 'kind: oidc, name: sso, clientId: latchkey';

test('local users are the only way in where nothing is said', () => {
  const { signIn } = loaded({ yaml: 'backend: http://127.0.0.1:8008' }).config;
  assert.deepEqual(signIn, { ways: [{ kind: 'local' }], checkIntervalMs: 300_000 });
});

test('ways keep their order, and local users can be left out', () => {
  const yaml = ways(
    '- { kind: oidc, name: sso, issuer: "https://login.example", clientId: latchkey }',
    '- { kind: htpasswd, name: staff, file: ./htpasswd }',
    `- { ${ldap}, url: "ldaps://ldap.example" }`,
  );
  const { ways: found } = loaded({ yaml }).config.signIn;
  assert.deepEqual(found, [
    {
      ...{ kind: 'oidc', name: 'sso', label: 'sso', issuer: 'https://login.example', clientId: 'latchkey' },
      ...{ clientSecret: null, scopes: ['openid', 'profile', 'email'], userName: 'uuid' },
      ...{ groupsClaim: 'groups', allowedGroups: [], adminGroups: [], ca: null },
    },
    { kind: 'htpasswd', name: 'staff', file: '/etc/latchkey/htpasswd' },
    {
      ...{ kind: 'ldap', name: 'dir', url: 'ldaps://ldap.example', baseDn: 'dc=example' },
      ...{ startTls: false, allowPlaintext: false, ca: null, bindDn: null, bindPassword: null },
      ...{ userAttribute: 'uid', filter: null, subjectAttribute: 'entryUUID', groups: null },
      ...{ displayNameAttribute: 'displayName', mailAttribute: 'mail' },
    },
  ]);
});

test('the interval of checks can be set by a variable', () => {
  const env = { LATCHKEY_SIGN_IN_CHECK_INTERVAL: '30s', LATCHKEY_BACKEND: 'http://a' };
  assert.equal(loaded({ env }).config.signIn.checkIntervalMs, 30_000);
});

test('passwords to a directory cross the network in clear only where that is said', () => {
  const wrong = problems({ yaml: ways(`- { ${ldap}, url: "ldap://ldap.example" }`) });
  assert.match(
    wrong.join('\n'),
    /^latchkey\.yaml:4:\d+: signIn\.ways\[0\]\.url: would send passwords in clear: /,
  );
  for (const more of ['startTls: true', 'allowPlaintext: true']) {
    assert.doesNotThrow(() => loaded({ yaml: ways(`- { ${ldap}, url: "ldap://ldap.example", ${more} }`) }));
  }
  for (const host of ['localhost', '127.0.0.1:1389', '[::1]']) {
    assert.doesNotThrow(() => loaded({ yaml: ways(`- { ${ldap}, url: "ldap://${host}" }`) }));
  }
});

test('a provider is spoken to over https, or on this machine', () => {
  for (const issuer of [
    'http://login.example',
    'http://127.0.0.1.example',
    'ftp://a',
    'https://a/?x',
    'https://u:p@a',
  ]) {
    const wrong = problems({ yaml: ways(`- { ${oidc}, issuer: "${issuer}" }`) });
    assert.match(wrong.join('\n'), /signIn\.ways\[0\]\.issuer: must /, issuer);
    assert.doesNotMatch(wrong.join('\n'), /u:p/);
  }
  for (const issuer of [
    'http://127.0.0.1:9000',
    'http://localhost:9000/realm',
    'https://login.example/realms/a',
  ]) {
    const { ways: found } = loaded({ yaml: ways(`- { ${oidc}, issuer: "${issuer}" }`) }).config.signIn;
    assert.equal(found[0]?.kind === 'oidc' && found[0].issuer, issuer);
  }
});

const refused: readonly (readonly [what: string, lines: readonly string[], message: RegExp])[] = [
  ['no way at all', ['[]'], /signIn\.ways: must hold at least one way to sign in/],
  [
    'a kind that is not known',
    ['- { kind: saml }'],
    /ways\[0\]\.kind: must be local, htpasswd, ldap or oidc/,
  ],
  ['a way without its kind', ['- { name: staff }'], /ways\[0\]\.kind: is missing/],
  ['a kind alone', ['- local'], /ways\[0\]: must be a map that says of which kind it is/],
  ['two local ways', ['- kind: local', '- kind: local'], /ways\[1\]: is the second local way/],
  ['a source called local', ['- { kind: htpasswd, name: local, file: f }'], /name: cannot be local/],
  [
    'two sources of one name',
    ['- { kind: htpasswd, name: a, file: f }', '- { kind: htpasswd, name: a, file: g }'],
    /ways\[1\]\.name: is the name of way 1 already/,
  ],
  [
    'a key of another kind',
    ['- { kind: htpasswd, name: a, file: f, url: x }'],
    /ways\[0\]\.url: is not known/,
  ],
  ['credentials in a URL', [`- { ${ldap}, url: "ldaps://u:p@h" }`], /url: must not hold credentials/],
  ['a path behind the host', [`- { ${ldap}, url: "ldaps://h/dc=x" }`], /url: must end after host and port/],
  ['TLS twice', [`- { ${ldap}, url: "ldaps://h", startTls: true }`], /startTls: means nothing with ldaps/],
  [
    'an account without password',
    [`- { ${ldap}, url: "ldaps://h", bindDn: "cn=a" }`],
    /bindPassword: is missing/,
  ],
  ['a filter cut short', [`- { ${ldap}, url: "ldaps://h", filter: "(a=b))(" }`], /filter: must be a filter/],
  [
    'scopes without openid',
    [`- { ${oidc}, issuer: "https://h", scopes: [email] }`],
    /scopes: must hold openid/,
  ],
  [
    'a secret in the file',
    [`- { ${oidc}, issuer: "https://h", clientSecret: hunter2 }`],
    /clientSecret: must be \{fromFile: PATH\}/,
  ],
];

for (const [what, lines, message] of refused) {
  test(`a way to sign in is refused with its line: ${what}`, () => {
    const found = problems({ yaml: ways(...lines) }).join('\n');
    assert.match(found, message);
    assert.doesNotMatch(found, /hunter2|u:p/);
  });
}

test('secrets of sources are read, masked when shown, and the rest reads back', () => {
  const files = { '/etc/latchkey/s': 'hunter2\n' };
  const yaml = ways(
    `- { ${oidc}, issuer: "https://h", clientSecret: { fromFile: s }, adminGroups: [admins] }`,
    `- { ${ldap}, url: "ldap://h", allowPlaintext: true, groups: { allow: ["cn=a"] } }`,
    `- { kind: ldap, name: two, url: "ldaps://h", baseDn: "dc=x", bindDn: "cn=a", bindPassword: { fromFile: s } }`,
  );
  const first = loaded({ yaml, files });
  const [sso, , two] = first.config.signIn.ways;
  assert.equal(sso?.kind === 'oidc' && sso.clientSecret, 'hunter2');
  assert.equal(two?.kind === 'ldap' && two.bindPassword, 'hunter2');
  const shown = toYaml(describeConfig(first));
  assert.doesNotMatch(shown, /hunter2/);
  const second = loaded({ yaml: shown.replaceAll(/"?\*{8}"?/g, '{ fromFile: s }'), files });
  assert.deepEqual(second.config.signIn, first.config.signIn);
});
