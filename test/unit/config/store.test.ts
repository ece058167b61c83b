import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeConfig, toYaml } from '../../../src/config/show.ts';
import { storeName } from '../../../src/config/store-config.ts';
import { load, loaded, problems } from './in-memory-sources.ts';

const defaults = {
  ...{ kind: 'postgres', host: 'db.example.org', port: 5432, user: 'latchkey', password: null },
  ...{ database: 'latchkey', poolMax: 10, connectTimeoutMs: 2_000, statementTimeoutMs: 2_500, tls: null },
};

function storeOf(written: string): unknown {
  return loaded({ yaml: `backend: http://a\nstore: ${written}` }).config.store;
}

test('a PostgreSQL store is named by its URL', () => {
  assert.deepEqual(storeOf('postgres://latchkey@db.example.org/latchkey'), defaults);
  const changes = { host: '::1', port: 5433, user: 'a b', database: 'c/d', tls: { ca: null } };
  const written = 'postgresql://a%20b@[::1]:5433/c%2Fd?sslmode=verify-full';
  assert.deepEqual(storeOf(written), { ...defaults, ...changes });
});

test('a unix socket stands behind the URL, or percent-encoded in the place of the host', () => {
  const expected = { ...defaults, host: '/var/run/postgresql', port: 5433 };
  assert.deepEqual(storeOf('postgres://latchkey@/latchkey?host=/var/run/postgresql&port=5433'), expected);
  assert.deepEqual(storeOf('postgres://latchkey@%2Fvar%2Frun%2Fpostgresql:5433/latchkey'), expected);
});

test('a map says what a URL cannot', () => {
  const map =
    '{ url: "postgres://latchkey@db.example.org/latchkey", password: { fromEnv: WORD }, poolMax: 3,';
  const yaml = `backend: http://a\nstore: ${map} connectTimeout: 1s, statementTimeout: 900ms, tls: true }`;
  const { store } = loaded({ yaml, env: { WORD: 'canary' } }).config;
  const changes = { password: 'canary', poolMax: 3, connectTimeoutMs: 1_000, statementTimeoutMs: 900 };
  assert.deepEqual(store, { ...defaults, ...changes, tls: { ca: null } });
});

test('a password may stand in the environment, and is never shown', () => {
  const env = { LATCHKEY_STORE: 'postgres://latchkey:canary@db.example.org/latchkey' };
  const configuration = loaded({ yaml: 'backend: http://a', env });
  assert.deepEqual(configuration.config.store, { ...defaults, password: 'canary' });
  assert.equal(storeName(configuration.config.store), 'postgres://latchkey@db.example.org:5432/latchkey');
  const shown = toYaml(describeConfig(configuration));
  assert.doesNotMatch(shown, /canary/);
  assert.match(shown, /^ {2}url: postgres:\/\/latchkey@db.example.org:5432\/latchkey # LATCHKEY_STORE$/m);
});

test('what is shown of a store can be read back', () => {
  for (const url of [
    'postgres://l@db:1/x',
    'postgres://l@/x?host=/run/a%20b&port=5432',
    'postgres://l@[::1]:1/x%2F',
  ]) {
    const shown = toYaml(describeConfig(loaded({ yaml: `backend: http://a\nstore: ${url}` })));
    assert.deepEqual(loaded({ yaml: shown }).config.store, storeOf(url), url);
  }
});

test('without the password of its store no command runs', () => {
  const yaml = 'backend: http://a\nstore: { url: "postgres://l@db/x", password: { fromEnv: GONE } }';
  const result = load({ yaml, routesRequired: false });
  assert.ok(result.kind === 'invalid');
  assert.deepEqual(
    result.problems.map(({ key, message }) => [key, message]),
    [['store.password', 'the environment variable GONE is not set']],
  );
});

const form =
  'must be a URL such as postgres://latchkey@db.example.org:5432/latchkey: one host, one database; what is special in a name is percent-encoded';
const wrong: readonly (readonly [title: string, store: string, expected: readonly string[]])[] = [
  [
    'a URL in the place of a file',
    'sqlite:postgres://l@db/latchkey',
    ['must name a file behind sqlite:, not a URL; that of a PostgreSQL database stands alone'],
  ],
  ['no user', 'postgres://db/latchkey', ['must name the user: postgres://USER@HOST/DATABASE']],
  ['no database', 'postgres://l@db/', ['must name the database: postgres://USER@HOST/DATABASE']],
  ['nothing behind the host', 'postgres://l@db', [form]],
  ['several hosts', 'postgres://l@db1,db2/latchkey', [form]],
  ['a port beyond all', 'postgres://l@db:65536/latchkey', ['must have a port from 1 to 65535']],
  ['half an escape', 'postgres://l%2@db/latchkey', ['holds something that is not percent-encoded']],
  [
    'no host',
    'postgres://l@/latchkey',
    ['must name one host, or the folder of a unix socket as ?host=/var/run/postgresql'],
  ],
  [
    'TLS or not',
    'postgres://l@db/latchkey?sslmode=prefer',
    ['must have sslmode=verify-full, or disable: anything else does not say whether the server is known'],
  ],
  [
    'an unknown option',
    'postgres://l@db/latchkey?sslrootcert=/etc/ca.pem',
    ['may have host, port and sslmode behind the ?; write the rest as a map with url, password, tls'],
  ],
  [
    'a password in the file',
    '{ url: "postgres://l:canary@db/latchkey" }',
    [
      'must not hold a password: write store as a map with url and password: {fromFile: PATH}, or set LATCHKEY_STORE',
    ],
  ],
  [
    'TLS twice',
    '{ url: "postgres://l@db/latchkey?sslmode=verify-full", tls: true }',
    ['is said in the url too, as sslmode; say it in one of them'],
  ],
  [
    'TLS over a unix socket',
    '{ url: "postgres://l@/latchkey?host=/run/postgresql", tls: true }',
    ['is a unix socket, which speaks no TLS: leave tls out'],
  ],
  [
    'an unknown key',
    '{ url: "postgres://l@db/latchkey", poolmax: 3 }',
    ['is not known; did you mean poolMax?'],
  ],
];

for (const [title, store, expected] of wrong) {
  test(`a PostgreSQL store is refused: ${title}`, () => {
    const found = problems({ yaml: `backend: http://a\nstore: ${store}` });
    assert.deepEqual(
      found.map((problem) => problem.replace(/^\S+ store\S*: /, '')),
      expected,
    );
  });
}
