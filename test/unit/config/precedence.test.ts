import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeName } from '../../../src/config/store-config.ts';
import { load, loaded, problems } from './in-memory-sources.ts';

const inFile = { yaml: 'backend: http://a\nlisten: { port: 1 }' };
const inFileVariable = { LATCHKEY_LISTEN_PORT_FILE: '/run/port' };
const files = { '/run/port': '2\n' };
const inEnvironment = { LATCHKEY_LISTEN_PORT: '3' };
const flags = [{ flag: '--port', path: ['listen', 'port'], value: '4' }];

const precedence = [
  {
    title: 'the default where nobody says',
    sources: { yaml: 'backend: http://a' },
    port: 8080,
    origin: 'default',
  },
  { title: 'the file over the default', sources: inFile, port: 1, origin: '/etc/latchkey/latchkey.yaml:2' },
  {
    title: '*_FILE over the file',
    sources: { ...inFile, env: inFileVariable, files },
    port: 2,
    origin: 'LATCHKEY_LISTEN_PORT_FILE',
  },
  {
    title: 'the environment over the file',
    sources: { ...inFile, env: inEnvironment },
    port: 3,
    origin: 'LATCHKEY_LISTEN_PORT',
  },
  {
    title: 'a flag over the environment and the file',
    sources: { ...inFile, env: inEnvironment, flags },
    port: 4,
    origin: '--port',
  },
  {
    title: 'a flag over *_FILE',
    sources: { ...inFile, env: inFileVariable, files, flags },
    port: 4,
    origin: '--port',
  },
];

for (const { title, sources, port, origin } of precedence) {
  test(`values come from ${title}`, () => {
    const result = loaded(sources);
    assert.equal(result.config.listen.port, port);
    assert.equal(result.originOf(['listen', 'port']), origin);
  });
}

test('a variable together with its _FILE is an error, whatever they say', () => {
  assert.deepEqual(
    problems({ yaml: 'backend: http://a', env: { ...inEnvironment, ...inFileVariable }, files }),
    ['LATCHKEY_LISTEN_PORT_FILE: listen.port: is set together with LATCHKEY_LISTEN_PORT; unset one of them'],
  );
});

test('an empty variable is as good as none', () => {
  assert.equal(loaded({ ...inFile, env: { LATCHKEY_LISTEN_PORT: '' } }).config.listen.port, 1);
});

test('a _FILE that does not exist is a fault of the environment', () => {
  const result = load({ yaml: 'backend: http://a', env: { LATCHKEY_STORE_FILE: 'gone' } });
  assert.ok(result.kind === 'invalid');
  assert.deepEqual(result.problems, [
    {
      kind: 'environment',
      where: 'LATCHKEY_STORE_FILE',
      key: 'store',
      message: 'names /srv/latchkey/gone, which does not exist',
    },
  ]);
});

test('a bad value in a variable or flag is reported by its name, not by a line', () => {
  assert.deepEqual(
    problems({
      yaml: 'backend: http://a',
      env: { LATCHKEY_LIMITS_HEAD: 'soon', LATCHKEY_LOG_ACCESS: 'yes' },
      flags: [{ flag: '--port', path: ['listen', 'port'], value: 'http' }],
    }),
    [
      '--port: listen.port: must be a whole number from 0 to 65535',
      'LATCHKEY_LIMITS_HEAD: limits.head: must be a duration such as 30s, 5m or a number of milliseconds',
      'LATCHKEY_LOG_ACCESS: log.access: must be true or false',
    ],
  );
});

test('a misspelt variable is an error with the name that was meant; others with the prefix are left alone', () => {
  assert.deepEqual(problems({ yaml: 'backend: http://a', env: { LATCHKEY_LISTEN_PROT: '1' } }), [
    'LATCHKEY_LISTEN_PROT: is no setting; did you mean LATCHKEY_LISTEN_PORT?',
  ]);
  const kubernetes = {
    LATCHKEY_PORT: 'tcp://10.0.0.1:8080',
    LATCHKEY_SERVICE_HOST: '10.0.0.1',
    LATCHKEY_SERVICE_PORT_HTTP: '8080',
    LATCHKEY_PORT_8080_TCP_ADDR: '10.0.0.1',
    LATCHKEY_ADMIN_PORT: 'tcp://10.0.0.2:8081',
    LATCHKEY_PEPPER_2026: 'x',
  };
  const { config } = loaded({ yaml: 'backend: http://a', env: kubernetes });
  assert.deepEqual([config.listen.port, config.admin.port], [8080, 8081]);
});

test('LATCHKEY_BACKEND and LATCHKEY_TRUSTED_PROXIES are lists between commas', () => {
  const { config } = loaded({
    env: { LATCHKEY_BACKEND: 'http://a:1, http://b:2', LATCHKEY_TRUSTED_PROXIES: '10.0.0.1' },
  });
  assert.deepEqual(config.routes[0]?.backend, ['http://a:1', 'http://b:2']);
  assert.deepEqual(config.trustedProxies, ['10.0.0.1/32']);
});

test('a secret in a variable of its own is accepted, and its _FILE is read from the working directory', () => {
  const missing = problems({ yaml: 'backend: http://a', env: { LATCHKEY_ASSERTION_KEY: 'hunter2' } });
  assert.deepEqual(missing, [
    'LATCHKEY_ASSERTION_KEY: assertionKey: is not the PKCS#8 PEM of an Ed25519 private key; make one with: openssl genpkey -algorithm ed25519',
  ]);
  assert.deepEqual(problems({ yaml: 'backend: http://a', env: { LATCHKEY_ASSERTION_KEY_FILE: 'key.pem' } }), [
    'LATCHKEY_ASSERTION_KEY_FILE: assertionKey: the file /srv/latchkey/key.pem does not exist',
  ]);
});

test('--backend beside routes in the file is an error that says so', () => {
  const flag = [{ flag: '--backend', path: ['backend'], value: ['http://b'] }];
  assert.deepEqual(problems({ yaml: 'routes: [{ name: a, backend: http://a }]', flags: flag }), [
    '--backend: backend: cannot stand together with routes: it is short for a single route; name the backend in a route instead',
  ]);
});

test('--config wins over LATCHKEY_CONFIG, which wins over ./latchkey.yaml', () => {
  const contents = {
    '/srv/latchkey/latchkey.yaml': 'backend: http://here',
    '/srv/latchkey/other.yaml': 'backend: http://variable',
    '/srv/latchkey/third.yaml': 'backend: http://flag',
  };
  const env = { LATCHKEY_CONFIG: 'other.yaml' };
  const backendOf = (written: Parameters<typeof loaded>[0]): unknown =>
    loaded({ ...written, files: contents }).config.routes[0]?.backend[0];
  assert.equal(backendOf({}), 'http://here');
  assert.equal(backendOf({ env }), 'http://variable');
  assert.equal(backendOf({ env, configFlag: 'third.yaml' }), 'http://flag');
});

test('a configuration file that is named must exist; ./latchkey.yaml need not', () => {
  assert.deepEqual(problems({ configFlag: 'gone.yaml' }), [
    '--config: the configuration file /srv/latchkey/gone.yaml does not exist',
  ]);
  assert.deepEqual(problems({ env: { LATCHKEY_CONFIG: 'gone.yaml' } }), [
    'LATCHKEY_CONFIG: the configuration file /srv/latchkey/gone.yaml does not exist',
  ]);
  assert.equal(loaded({ env: { LATCHKEY_BACKEND: 'http://a' } }).file, null);
});

test('relative paths start at the file that names them, or at the working directory', () => {
  const yaml = 'backend: http://a\ndataDir: ./d\nstore: sqlite:./s.db';
  assert.equal(loaded({ yaml }).config.dataDir, '/etc/latchkey/d');
  assert.equal(storeName(loaded({ yaml }).config.store), '/etc/latchkey/s.db');
  const env = { LATCHKEY_DATA_DIR: './d', LATCHKEY_STORE: 'sqlite:./s.db' };
  assert.equal(loaded({ yaml, env }).config.dataDir, '/srv/latchkey/d');
  assert.equal(storeName(loaded({ yaml, env }).config.store), '/srv/latchkey/s.db');
  assert.equal(
    storeName(loaded({ yaml: 'backend: http://a\ndataDir: /var/lib/x' }).config.store),
    '/var/lib/x/latchkey.db',
  );
});
