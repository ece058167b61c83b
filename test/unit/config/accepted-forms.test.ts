import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import type { RouteConfig } from '../../../src/config/config.ts';
import { storeName } from '../../../src/config/store-config.ts';
import { load, loaded, oneRoute, problems } from './in-memory-sources.ts';

const defaultRoute: RouteConfig = {
  name: 'default',
  match: { host: null, path: '/' },
  backend: ['http://127.0.0.1:8008'],
  kind: 'webdav',
  accept: ['basic', 'bearer'],
  mainPassword: 'refuse',
  identity: { user: 'X-Remote-User', assertion: null, headers: {} },
  backendAuth: { kind: 'none' },
  host: 'preserve',
  backendOrigin: null,
  spool: false,
  uploads: null,
  nodes: null,
  backendCa: null,
  backendTls: null,
};

function firstRoute(...lines: readonly string[]): RouteConfig {
  const [route] = loaded({ yaml: oneRoute(...lines), files: { '/etc/latchkey/s': 'secret\n' } }).config
    .routes;
  assert.ok(route);
  return route;
}

test('a backend alone makes one WebDAV route that takes every path', () => {
  const flags = [{ flag: '--backend', path: ['backend'], value: ['http://127.0.0.1:8008/'] }];
  const { config } = loaded({ flags });
  assert.deepEqual(config.routes, [defaultRoute]);
  assert.deepEqual(config.listen, {
    host: null,
    port: 8080,
    socket: null,
    socketMode: 0o660,
    proxyProtocol: false,
    tls: null,
  });
  assert.deepEqual(config.admin, { host: '127.0.0.1', port: 8081 });
  assert.equal(config.dataDir, '/srv/latchkey/data');
  assert.deepEqual(config.store, { kind: 'sqlite', path: '/srv/latchkey/data/latchkey.db' });
  assert.equal(config.redis, null);
  assert.equal(config.peppers, null);
});

test('commands that work on the store alone need no backend', () => {
  assert.deepEqual(loaded({ routesRequired: false }).config.routes, []);
});

test('a route that names only its backend has the defaults of the backend flag', () => {
  assert.deepEqual(firstRoute(), { ...defaultRoute, name: 'files' });
});

test('the file of the design reads as it says', () => {
  const { config } = loaded({
    yaml: [
      'listen: { port: 8080 }',
      'store: sqlite:./data/latchkey.db        # or postgres://…',
      'redis: redis://127.0.0.1:6379           # optional',
      'routes:',
      '  - name: files',
      '    match: { path: /dav/ }',
      '    backend: http://127.0.0.1:8008',
      '    kind: webdav                        # webdav | caldav | rest',
      '    accept: [basic, bearer]             # also { header: apiToken }, { query: session }',
      '    mainPassword: refuse                # refuse | allow',
      '    identity: { user: X-Remote-User, assertion: X-Latchkey-Assertion }',
      '    backendAuth: none                   # or a service account, or user + shared secret',
    ].join('\n'),
  });
  assert.deepEqual(config.routes, [
    {
      ...defaultRoute,
      name: 'files',
      match: { host: null, path: '/dav/' },
      identity: { user: 'X-Remote-User', assertion: 'X-Latchkey-Assertion', headers: {} },
    },
  ]);
  assert.equal(storeName(config.store), '/etc/latchkey/data/latchkey.db');
  assert.deepEqual(config.redis?.nodes, ['redis://127.0.0.1:6379']);
});

test('tokens may come in a header or a query parameter of their own', () => {
  assert.deepEqual(firstRoute('accept: [{ header: apiToken }, { query: session }]').accept, [
    { header: 'apiToken' },
    { query: 'session' },
  ]);
});

test('backend authentication is none, a service account or a shared secret', () => {
  assert.deepEqual(firstRoute('backendAuth: none').backendAuth, { kind: 'none' });
  assert.deepEqual(
    firstRoute('backendAuth: { serviceAccount: { user: gateway, password: { fromFile: s } } }').backendAuth,
    { kind: 'serviceAccount', user: 'gateway', password: 'secret' },
  );
  assert.deepEqual(firstRoute('backendAuth: { sharedSecret: { fromFile: s } }').backendAuth, {
    kind: 'sharedSecret',
    secret: 'secret',
  });
});

test('null in identity.user sends no user header', () => {
  assert.equal(firstRoute('identity: { user: null }').identity.user, null);
});

test('paths are read as people write them, percent-encoded or not', () => {
  assert.equal(firstRoute('match: { path: "/Fotos für alle/" }').match.path, '/Fotos für alle/');
  assert.equal(firstRoute('match: { path: /Fotos%20alle/ }').match.path, '/Fotos alle/');
  assert.equal(firstRoute('uploads: "/up loads/{user}/"').uploads, '/up loads/{user}/');
});

test('nodes are a template or a table', () => {
  assert.deepEqual(firstRoute('nodes: { template: "/dav/spaces/{node}/" }').nodes, {
    template: '/dav/spaces/{node}/',
  });
  const uuid = '6ba7b810-9dad-41d1-80b4-00c04fd430c8';
  assert.deepEqual(firstRoute(`nodes: { table: { ${uuid}: /dav/x/ } }`).nodes, {
    table: { [uuid]: '/dav/x/' },
  });
});

test('hosts are compared in lower case, backends are origins', () => {
  const route = firstRoute(
    'match: { host: Files.Example.org }',
    'host: Backend.Example',
    'backendOrigin: HTTPS://H/',
  );
  assert.equal(route.match.host, 'files.example.org');
  assert.equal(route.host, 'backend.example');
  assert.equal(route.backendOrigin, 'https://h');
});

test('durations and sizes are read in every unit, and as plain numbers', () => {
  const { limits } = loaded({
    yaml: 'backend: http://a\nlimits: { head: 5m, idle: 90000, drain: 1500ms, keepAlive: 2h, report: 512KiB, spool: 5GB }',
  }).config;
  assert.equal(limits.headMs, 300_000);
  assert.equal(limits.idleMs, 90_000);
  assert.equal(limits.drainMs, 1_500);
  assert.equal(limits.keepAliveMs, 7_200_000);
  assert.equal(limits.reportBytes, 524_288);
  assert.equal(limits.spoolBytes, 5_000_000_000);
});

test('a byte order mark and Windows line ends are no part of the file', () => {
  const { config } = loaded({ yaml: '\uFEFFbackend: http://a\r\nlisten:\r\n  port: 1\r\n' });
  assert.deepEqual([config.routes[0]?.backend, config.listen.port], [['http://a'], 1]);
});

test('a backend on the port of the gateway, but on another address, is no loop', () => {
  const { config } = loaded({ yaml: 'backend: http://127.0.0.1:8080\nlisten: { host: 10.0.0.1 }' });
  assert.deepEqual(config.routes[0]?.backend, ['http://127.0.0.1:8080']);
});

test('Redis may be a unix socket', () => {
  const { config } = loaded({ yaml: 'backend: http://a\nredis: unix:/run/redis/redis.sock' });
  assert.deepEqual(config.redis?.nodes, ['unix:/run/redis/redis.sock']);
});

test('trusted proxies are single addresses or blocks', () => {
  const { config } = loaded({ yaml: 'backend: http://a\ntrustedProxies: [10.0.0.1, "fd00::/8"]' });
  assert.deepEqual(config.trustedProxies, ['10.0.0.1/32', 'fd00::/8']);
});

test('Redis is a URL with user, password, database and TLS when it comes from the environment', () => {
  const { config } = loaded({
    yaml: 'backend: http://a',
    env: { LATCHKEY_REDIS: 'rediss://me:p%40ss@r.example/3' },
  });
  assert.deepEqual(config.redis, {
    mode: 'standalone',
    nodes: ['rediss://r.example:6379'],
    sentinelName: null,
    sentinelUsername: null,
    sentinelPassword: null,
    username: 'me',
    password: 'p@ss',
    database: 3,
    tls: { ca: null },
  });
});

test('Redis is a map for Sentinel, Cluster, and passwords kept elsewhere', () => {
  const { config } = loaded({
    yaml: [
      'backend: http://a',
      'redis:',
      '  mode: sentinel',
      '  nodes: [10.0.0.5:26379, "[fd00::1]:26379"]',
      '  sentinelName: mymaster',
      '  sentinelUsername: watcher',
      '  sentinelPassword: { fromFile: sentinel }',
      '  password: { fromEnv: REDIS_PASSWORD }',
      '  tls: true',
    ].join('\n'),
    files: { '/etc/latchkey/sentinel': 's\n' },
    env: { REDIS_PASSWORD: 'p' },
  });
  assert.deepEqual(config.redis, {
    mode: 'sentinel',
    nodes: ['10.0.0.5:26379', '[fd00::1]:26379'],
    sentinelName: 'mymaster',
    sentinelUsername: 'watcher',
    sentinelPassword: 's',
    username: null,
    password: 'p',
    database: 0,
    tls: { ca: null },
  });
  const single = loaded({ yaml: 'backend: http://a\nredis: { nodes: [r.example:6380], tls: true }' }).config;
  assert.deepEqual(single.redis?.nodes, ['rediss://r.example:6380']);
});

test('secrets are read from files beside the configuration, without their last line break', () => {
  const pepper = 'p'.repeat(32);
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const { config } = loaded({
    yaml: 'backend: http://a\npeppers: [{ id: "2026", secret: { fromFile: secrets/p } }]\nassertionKey: { fromEnv: KEY }',
    files: { '/etc/latchkey/secrets/p': `${pepper}\n` },
    env: { KEY: pem },
  });
  assert.deepEqual(config.peppers, [{ id: '2026', secret: pepper }]);
  assert.equal(config.assertionKey, pem);
});

test('the file that a gateway has made for its own pepper is no secret of a configured one', () => {
  const made = `0a1b2c3d ${'p'.repeat(43)}\n`;
  const written = {
    yaml: 'backend: http://a\npeppers: [{ id: 0a1b2c3d, secret: { fromFile: pepper } }]',
    files: { '/etc/latchkey/pepper': made },
  };
  assert.deepEqual(problems(written), [
    'latchkey.yaml:2:35: peppers[0].secret: is a line of the file pepper of a dataDir: its first word is the id, give the second alone',
  ]);
});

test('secrets that are missing or unusable are all named, as faults of the environment', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const written = {
    yaml: [
      oneRoute('backendAuth: { sharedSecret: { fromEnv: NOT_SET } }'),
      'peppers: [{ id: a, secret: { fromFile: gone } }, { id: b, secret: { fromFile: short } }]',
      'assertionKey: { fromFile: rsa.pem }',
      'redis: { nodes: [r:1], password: { fromFile: empty }, tls: { ca: { fromFile: short } } }',
    ].join('\n'),
    files: {
      '/etc/latchkey/short': 'hunter2',
      '/etc/latchkey/rsa.pem': rsa.export({ type: 'pkcs8', format: 'pem' }).toString(),
      '/etc/latchkey/empty': '\n',
    },
  };
  assert.deepEqual(problems(written), [
    'latchkey.yaml:4:34: routes[0].backendAuth.sharedSecret: the environment variable NOT_SET is not set',
    'latchkey.yaml:5:28: peppers[0].secret: the file /etc/latchkey/gone does not exist',
    'latchkey.yaml:5:67: peppers[1].secret: is shorter than 32 bytes; make one with: openssl rand -base64 48',
    'latchkey.yaml:6:15: assertionKey: is not the PKCS#8 PEM of an Ed25519 private key; make one with: openssl genpkey -algorithm ed25519',
    'latchkey.yaml:7:34: redis.password: the file /etc/latchkey/empty is empty',
    'latchkey.yaml:7:66: redis.tls.ca: holds no readable PEM certificate (-----BEGIN CERTIFICATE-----)',
  ]);
  const result = load(written);
  assert.ok(result.kind === 'invalid' && result.problems.every(({ kind }) => kind === 'environment'));
});

test('a wrong value together with a missing secret counts as a wrong configuration', () => {
  const result = load({
    yaml: `${oneRoute('backendAuth: { sharedSecret: { fromEnv: NOT_SET } }')}\nlog: { level: loud }`,
  });
  assert.ok(result.kind === 'invalid' && result.problems.some(({ kind }) => kind === 'config'));
});

test('a certificate authority is taken as PEM text', (t) => {
  let pem: string;
  try {
    const command = [
      'req',
      '-x509',
      '-newkey',
      'ed25519',
      '-nodes',
      '-keyout',
      '/dev/null',
      '-subj',
      '/CN=test',
      '-days',
      '1',
    ];
    pem = execFileSync('openssl', command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    t.skip('openssl is not installed');
    return;
  }
  const yaml = 'routes: [{ name: a, backend: https://a, backendCa: { fromFile: ca.pem } }]';
  const { config } = loaded({ yaml, files: { '/etc/latchkey/ca.pem': pem } });
  assert.equal(config.routes[0]?.backendCa, pem.replace(/\n$/, ''));
});

test('a configuration is frozen to its leaves', () => {
  const { config } = loaded({ yaml: oneRoute('accept: [{ header: apiToken }]') });
  const unfrozen: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null) return;
    if (!Object.isFrozen(value)) unfrozen.push(path);
    for (const [key, child] of Object.entries(value)) walk(child, `${path}.${key}`);
  };
  walk(config, 'config');
  assert.deepEqual(unfrozen, []);
});
