import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { describeConfig, toPlain, toYaml } from '../../../src/config/show.ts';
import { load, loaded, oneRoute, problems } from './in-memory-sources.ts';

const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

const everySecret = {
  yaml: [
    'routes:',
    '  - { name: a, backend: http://a, match: { path: /a/ }, backendAuth: { sharedSecret: { fromEnv: CANARY_1 } } }',
    '  - name: b',
    '    backend: http://b',
    '    backendAuth: { serviceAccount: { user: gateway, password: { fromEnv: CANARY_2 } } }',
    'peppers: [{ id: p, secret: { fromFile: pepper } }]',
    'redis: { mode: sentinel, nodes: [r:1], sentinelName: m, password: { fromEnv: CANARY_3 }, sentinelPassword: { fromEnv: CANARY_3 } }',
  ].join('\n'),
  files: { '/etc/latchkey/pepper': `canary-pepper-${'x'.repeat(32)}\n` },
  env: {
    CANARY_1: 'canary-shared',
    CANARY_2: 'canary-service',
    CANARY_3: 'canary-redis',
    LATCHKEY_ASSERTION_KEY: key,
  },
};

test('show masks every secret, in YAML and in JSON', () => {
  const description = describeConfig(loaded(everySecret));
  for (const shown of [toYaml(description), JSON.stringify(toPlain(description))]) {
    assert.doesNotMatch(shown, /canary-|PRIVATE KEY|xxxx/);
    assert.equal(shown.split('********').length - 1, 6);
  }
});

test('show masks the password of a Redis URL from the environment', () => {
  const env = { LATCHKEY_REDIS: 'redis://:canary-redis@r.example', LATCHKEY_BACKEND: 'http://a' };
  assert.doesNotMatch(toYaml(describeConfig(loaded({ env }))), /canary/);
});

test('no problem repeats a secret, wherever it was written by mistake', () => {
  const wrong = [
    oneRoute('backendAuth: { sharedSecret: canary }'),
    oneRoute('backendAuth: { serviceAccount: { user: "canary:canary", password: canary } }'),
    oneRoute('backendAuth: canary'),
    'backend: http://canary:canary@127.0.0.1',
    'backend: canary',
    'redis: redis://:canary@127.0.0.1/x',
    'redis: { nodes: ["redis://:canary@h:1"], password: canary, tls: canary }',
    'peppers: [canary, { id: "canary canary", secret: canary }]',
    'peppers: canary',
    'assertionKey: canary',
    'assertionKey: { fromEnv: "canary canary" }',
    'store: postgres://user:canary@db/latchkey',
    'store: canary://x',
    'a: *canary',
    'a: !canary x',
    'a: "canary',
    'a: @canary',
    'canary',
    '[canary]',
    'log: { level: canary, access: canary }',
    'limits: { head: canary, passwordQueue: canary }',
    'listen: { host: "canary canary", port: canary }',
  ];
  for (const yaml of wrong) assert.doesNotMatch(problems({ yaml }).join('\n'), /canary/, yaml);
});

test('show names the source of each value beside it', () => {
  const description = describeConfig(
    loaded({
      yaml: 'backend: http://a\nlog:\n  level: warn',
      env: { LATCHKEY_LISTEN_PORT: '99' },
      flags: [{ flag: '--host', path: ['listen', 'host'], value: '::1' }],
    }),
  );
  const shown = toYaml(description);
  assert.match(shown, /^ {2}host: ::1 # --host$/m);
  assert.match(shown, /^ {2}port: 99 # LATCHKEY_LISTEN_PORT$/m);
  assert.match(shown, /^ {2}level: warn # \/etc\/latchkey\/latchkey\.yaml:3$/m);
  assert.match(shown, /^ {2}access: true # default$/m);
  assert.match(shown, /^ {6}- http:\/\/a # \/etc\/latchkey\/latchkey\.yaml:1$/m);
  assert.match(shown, /^trustedProxies: \[\] # default$/m);
  assert.equal(toPlain(description).sources['listen.port'], 'LATCHKEY_LISTEN_PORT');
});

test('what show prints reads back as the same configuration', () => {
  const yaml = oneRoute(
    'match: { host: h.example, path: "/a b/" }',
    'accept: [basic, { header: apiToken }]',
    'identity: { user: null, assertion: X-A, headers: { X-T: "{tokenId}" } }',
    'uploads: "/a b/{user}/"',
    'nodes: { template: "/a b/{node}/" }',
  );
  const first = loaded({ yaml: `${yaml}\nlimits: { idle: 90s, report: 2000 }\nredis: redis://r.example/4` });
  const second = loaded({ yaml: toYaml(describeConfig(first)) });
  assert.deepEqual(second.config, first.config);
  assert.equal(load({ yaml: toYaml(describeConfig(second)) }).kind, 'loaded');
});
