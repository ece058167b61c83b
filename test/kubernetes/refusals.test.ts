import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireHelm, template, type Values } from '../support/helm.ts';

const backend = { backend: 'http://files:8008' };
const postgres = { ...backend, store: 'postgres://latchkey@postgres/latchkey' };
const withPepper = { existingSecret: 'secrets', secretKeys: { pepper: 'pepper' } };

/** What is refused, and the words in which helm says so. */
const refused: Readonly<Record<string, readonly [Values, RegExp]>> = {
  'nothing at all': [{}, /no backend is known: set config\.backend to its address/],
  'SQLite with three replicas': [
    { config: backend, replicaCount: 3 },
    /replicaCount is 3, and the store is SQLite, a file that belongs to one pod: set config\.store to postgres:\/\/…, or replicaCount to 1\./,
  ],
  'SQLite with a store of its own and two replicas': [
    { config: { ...backend, store: 'sqlite:/var/lib/latchkey/tokens.db' }, replicaCount: 2 },
    /replicaCount is 2, and the store is SQLite/,
  ],
  'SQLite with autoscaling': [
    { config: backend, autoscaling: { enabled: true } },
    /autoscaling makes more than one pod, and the store is SQLite/,
  ],
  'SQLite outside the volume': [
    { config: { ...backend, store: 'sqlite:./tokens.db' } },
    /config\.store is outside the volume at \/var\/lib\/latchkey/,
  ],
  'autoscaling from more to fewer': [
    { config: postgres, ...withPepper, autoscaling: { enabled: true, minReplicas: 9, maxReplicas: 2 } },
    /minReplicas is more than autoscaling\.maxReplicas/,
  ],
  'PostgreSQL without a pepper': [
    { config: postgres, replicaCount: 2 },
    /with PostgreSQL every pod has to know the same pepper/,
  ],
  'PostgreSQL with assertions and no key': [
    {
      ...withPepper,
      config: {
        store: postgres.store,
        routes: [{ name: 'files', backend: 'http://f:1', identity: { assertion: 'X-Assertion' } }],
      },
    },
    /route files sends assertions, and with PostgreSQL every pod has to sign them with the same key/,
  ],
  'a password in the address of the store': [
    { ...withPepper, config: { ...backend, store: 'postgres://latchkey:hunter2@postgres/latchkey' } },
    /config\.store holds a password.*secretKeys\.storePassword/,
  ],
  'a password in the address of a store written as a map': [
    { ...withPepper, config: { ...backend, store: { url: 'postgres://a:b@postgres/latchkey' } } },
    /config\.store holds a password/,
  ],
  'a password behind the address of the store': [
    {
      ...withPepper,
      config: { ...backend, store: 'postgres://latchkey@postgres/latchkey?password=hunter2' },
    },
    /config\.store holds a password/,
  ],
  'a password in any other address': [
    { config: { ...backend, redis: 'redis://latchkey:hunter2@redis:6379' } },
    /config\.redis holds a password, and would be readable in a ConfigMap/,
  ],
  'a secret in the place of its name': [
    { ...withPepper, config: { ...backend, store: { url: postgres.store, password: 'hunter2' } } },
    /config\.store\.password is a secret itself.*write \{fromFile: \/run\/secrets\/latchkey\/KEY\}/,
  ],
  'a secret in a list': [
    { config: { ...backend, peppers: [{ id: 'a', secret: 'hunter2' }] } },
    /config\.peppers\[0\]\.secret is a secret itself/,
  ],
  'a key of a Secret that is not named': [
    { config: backend, secretKeys: { pepper: 'pepper' } },
    /secretKeys\.pepper names a key of a Secret, and no Secret is named: set existingSecret/,
  ],
  'a pepper given twice': [
    { ...withPepper, config: { ...backend, peppers: [{ id: 'a', secret: { fromEnv: 'P' } }] } },
    /secretKeys\.pepper and config\.peppers say the same/,
  ],
  'an assertion key given twice': [
    {
      existingSecret: 'secrets',
      secretKeys: { assertionKey: 'key' },
      config: { ...backend, assertionKey: { fromEnv: 'K' } },
    },
    /secretKeys\.assertionKey and config\.assertionKey say the same/,
  ],
  'keys that nobody would write into a ConfigMap of the operator': [
    { existingConfigMap: 'mine', ...withPepper },
    /secretKeys\.pepper would be written.*write \{fromFile: \/run\/secrets\/latchkey\/pepper\} there/,
  ],
  'a password of the store given twice': [
    {
      existingSecret: 'secrets',
      secretKeys: { pepper: 'pepper', storePassword: 'p' },
      config: { ...backend, store: { url: postgres.store, password: { fromEnv: 'P' } } },
    },
    /secretKeys\.storePassword and config\.store\.password say the same/,
  ],
  'a password of Redis given twice': [
    {
      existingSecret: 'secrets',
      secretKeys: { redisPassword: 'p' },
      config: { ...backend, redis: { nodes: ['redis:6379'], password: { fromEnv: 'P' } } },
    },
    /secretKeys\.redisPassword and config\.redis\.password say the same/,
  ],
  'a certificate given twice': [
    {
      tls: { existingSecret: 'cert' },
      config: { ...backend, listen: { tls: { cert: { fromFile: '/c' }, key: { fromFile: '/k' } } } },
    },
    /tls\.existingSecret and config\.listen\.tls both name a certificate/,
  ],
  'the password of a PostgreSQL that is not there': [
    { config: backend, existingSecret: 'secrets', secretKeys: { storePassword: 'p' } },
    /secretKeys\.storePassword is the password of PostgreSQL, and config\.store is not/,
  ],
  'a password for Redis written as an address': [
    {
      config: { ...backend, redis: 'redis://redis:6379' },
      existingSecret: 'secrets',
      secretKeys: { redisPassword: 'p' },
    },
    /a password of Redis needs config\.redis as a map/,
  ],
  'doors that only the pod itself could ask': [
    { config: { ...backend, doors: { port: 8082 } } },
    /config\.doors\.trusted is missing/,
  ],
  'a door over gRPC that only the pod itself could ask': [
    { config: { ...backend, doors: { grpcPort: 8083, open: ['envoy'] } } },
    /config\.doors\.trusted is missing/,
  ],
  'two listeners on one port': [
    { config: { ...backend, listen: { port: 8081 } } },
    /config\.admin\.port and config\.listen\.port are both 8081/,
  ],
  'a port that nobody knows': [
    { config: { ...backend, listen: { port: 0 } } },
    /config\.listen\.port is 0, a port that nobody knows/,
  ],
  'a socket that no Service reaches': [
    { config: { ...backend, listen: { socket: '/run/latchkey.sock' } } },
    /config\.listen\.socket is a file inside the pod/,
  ],
  'an admin port that no probe reaches': [
    { config: { ...backend, admin: { host: '127.0.0.1' } } },
    /config\.admin\.host is 127\.0\.0\.1, which nothing outside the pod reaches/,
  ],
  'a port for clients that no Service reaches': [
    { config: { ...backend, listen: { host: '::1' } } },
    /config\.listen\.host is ::1, which nothing outside the pod reaches/,
  ],
  'a name that no Service may have': [
    { config: backend, fullnameOverride: '1st.gate' },
    /1st\.gate cannot be the name of a Service.*set fullnameOverride/,
  ],
  'a port given by an argument': [
    { config: backend, extraArgs: ['--port=9000'] },
    /extraArgs has --port, which the chart does not see: set config\.listen\.port instead/,
  ],
  'a port given by a file that a variable names': [
    { config: backend, extraEnv: [{ name: 'LATCHKEY_ADMIN_PORT_FILE', value: '/port' }] },
    /extraEnv sets LATCHKEY_ADMIN_PORT_FILE, which the chart does not see: set config\.admin\.port instead/,
  ],
  'a port given by a variable': [
    { config: backend, extraEnv: [{ name: 'LATCHKEY_LISTEN_PORT', value: '9000' }] },
    /extraEnv sets LATCHKEY_LISTEN_PORT, which the chart does not see: set config\.listen\.port instead/,
  ],
  'another folder than that of the volume': [
    { config: { ...backend, dataDir: '/data' } },
    /config\.dataDir is where the chart mounts the volume/,
  ],
  'less time to end than requests may take': [
    { config: { ...backend, limits: { drain: '10m' } }, terminationGracePeriodSeconds: 60 },
    /terminationGracePeriodSeconds is 60, and requests may take 605 s to end/,
  ],
  'a route without a Gateway': [
    { config: backend, httpRoute: { enabled: true } },
    /httpRoute\.enabled needs httpRoute\.parentRefs/,
  ],
  'a sidecar with nowhere to keep its SQLite file': [
    { mode: 'sidecar', config: backend },
    /a sidecar with SQLite needs a place for its file: set sidecar\.dataVolume/,
  ],
  'a misspelt value': [{ config: backend, replicas: 2 }, /additional properties 'replicas' not allowed/],
  'a misspelt value further down': [
    { config: backend, metrics: { serviceMonitor: { enable: true } } },
    /serviceMonitor': additional properties 'enable' not allowed/,
  ],
  'a misspelt key of the configuration': [
    { config: { ...backend, trustedProxy: ['10.0.0.0/8'] } },
    /at '\/config': additional properties 'trustedProxy' not allowed/,
  ],
  'a listener that is no map': [
    { config: { ...backend, listen: 8080 } },
    /at '\/config\/listen': got number, want object/,
  ],
  'a store that is neither address nor map': [
    { config: { ...backend, store: 5 } },
    /at '\/config\/store': got number, want string or object/,
  ],
  'routes that are no list': [
    { config: { routes: { name: 'files', backend: 'http://files:8008' } } },
    /at '\/config\/routes': got object, want array/,
  ],
  'a mode that does not exist': [{ config: backend, mode: 'daemon' }, /at '\/mode': value must be one of/],
  'a number in quotes': [
    { config: backend, replicaCount: '1' },
    /at '\/replicaCount': got string, want integer/,
  ],
};

describe('the chart refuses, with a sentence,', requireHelm(), () => {
  for (const [what, [values, sentence]] of Object.entries(refused)) {
    test(what, async () => {
      const { code, stdout, stderr } = await template(values);
      assert.notEqual(code, 0, stdout);
      assert.match(stderr, sentence);
      assert.equal(stdout, '');
    });
  }
});
