import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { configJsonSchema, type JsonSchema } from '../../src/config/json-schema.ts';
import {
  at,
  chartFolder,
  configText,
  find,
  render,
  requireHelm,
  type KubernetesObject,
  type Values,
} from '../support/helm.ts';

const backend = { backend: 'http://files:8008' };
const postgres: Values = {
  config: { ...backend, store: 'postgres://latchkey@postgres/latchkey' },
  existingSecret: 'secrets',
  secretKeys: { pepper: 'pepper' },
};

const pod = 'spec.template.spec';
const container = `${pod}.containers.0`;

function configOf(objects: readonly KubernetesObject[]): unknown {
  return parse(configText(objects));
}

describe('the workload', requireHelm(), () => {
  let sqlite: readonly KubernetesObject[];
  let many: readonly KubernetesObject[];
  before(async () => {
    sqlite = await render({ config: backend });
    many = await render({ ...postgres, replicaCount: 3 });
  });

  test('is one pod of a StatefulSet with a volume that outlives it, where the store is SQLite', () => {
    const set = find(sqlite, 'StatefulSet');
    assert.equal(at(set, 'spec.replicas'), 1);
    assert.equal(at(set, 'spec.volumeClaimTemplates.0.metadata.name'), 'latchkey-data');
    assert.equal(at(set, 'spec.persistentVolumeClaimRetentionPolicy.whenDeleted'), 'Retain');
    assert.equal(at(set, 'spec.serviceName'), 'gate-latchkey-admin');
    assert.equal(at(set, 'spec.podManagementPolicy'), 'Parallel', 'a pod that cannot start is replaced');
    assert.equal(sqlite.filter(({ kind }) => kind === 'Deployment').length, 0);
  });

  test('is a Deployment without a claim, replaced pod by pod, where the store is PostgreSQL', () => {
    const deployment = find(many, 'Deployment');
    assert.equal(at(deployment, 'spec.replicas'), 3);
    assert.deepEqual(at(deployment, 'spec.strategy'), {
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
    });
    assert.deepEqual(at(deployment, `${pod}.volumes.2`), { name: 'latchkey-data', emptyDir: {} });
    assert.equal(many.filter(({ kind }) => kind === 'StatefulSet').length, 0);
  });

  test('is stopped before it is replaced where that is asked for', async () => {
    const deployment = find(await render({ ...postgres, strategy: { type: 'Recreate' } }), 'Deployment');
    assert.deepEqual(at(deployment, 'spec.strategy'), { type: 'Recreate' });
  });

  test('has a name that Services may have, however long those are that make it', async () => {
    const fullnameOverride = `${'a'.repeat(48)}--${'b'.repeat(30)}`;
    const objects = await render({ config: backend, fullnameOverride, nameOverride: 'n'.repeat(80) });
    assert.equal(find(objects, 'StatefulSet').metadata.name, 'a'.repeat(48));
    const labels = objects.flatMap(({ metadata }) => Object.values(metadata['labels'] as Values));
    assert.deepEqual(
      labels.filter((label) => String(label).length > 63),
      [],
    );
  });

  test('runs as a user that is not root, may change nothing but its volume, and gains no right', () => {
    for (const object of [find(sqlite, 'StatefulSet'), find(many, 'Deployment')]) {
      assert.equal(at(object, `${pod}.securityContext.runAsNonRoot`), true);
      assert.equal(at(object, `${pod}.securityContext.runAsUser`), 1000);
      assert.deepEqual(at(object, `${pod}.securityContext.seccompProfile`), { type: 'RuntimeDefault' });
      assert.deepEqual(at(object, `${container}.securityContext`), {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('has no token of its service account, and no variables made of the names of services', () => {
    const set = find(sqlite, 'StatefulSet');
    assert.equal(at(set, `${pod}.automountServiceAccountToken`), false);
    assert.equal(at(find(sqlite, 'ServiceAccount'), 'automountServiceAccountToken'), false);
    assert.equal(at(set, `${pod}.enableServiceLinks`), false);
  });

  test('is asked for its health on the admin port, which no client is led to', () => {
    const set = find(sqlite, 'StatefulSet');
    for (const [probe, path] of [
      ['startupProbe', '/livez'],
      ['livenessProbe', '/livez'],
      ['readinessProbe', '/readyz'],
    ]) {
      assert.deepEqual(at(set, `${container}.${probe}.httpGet`), { path, port: 'latchkey-admin' });
    }
    assert.deepEqual(at(find(sqlite, 'Service', 'gate-latchkey'), 'spec.ports'), [
      { name: 'http', port: 80, targetPort: 'latchkey', protocol: 'TCP', appProtocol: 'http' },
    ]);
    assert.equal(at(configOf(sqlite), 'admin.host'), '::');
  });

  test('is left alone at its start for as long as a migration of the store may take', () => {
    const probe = at(find(many, 'Deployment'), `${container}.startupProbe`);
    const seconds = Number(at(probe, 'periodSeconds')) * Number(at(probe, 'failureThreshold'));
    assert.equal(seconds, 30 * 60);
  });

  test('waits before it ends until nobody is sent here, and then has longer than limits.drain', async () => {
    const set = find(sqlite, 'StatefulSet');
    assert.deepEqual(at(set, `${container}.lifecycle.preStop`), { sleep: { seconds: 5 } });
    assert.equal(at(set, `${pod}.terminationGracePeriodSeconds`), 45);
    const seconds: Readonly<Record<string, number>> = { '2m': 135, '1h': 3615, '1500ms': 17, '0s': 15 };
    for (const [drain, expected] of Object.entries(seconds)) {
      const objects = await render({ config: { ...backend, limits: { drain } } });
      assert.equal(at(find(objects, 'StatefulSet'), `${pod}.terminationGracePeriodSeconds`), expected, drain);
    }
    const inMilliseconds = await render({ config: { ...backend, limits: { drain: 90_000 } } });
    assert.equal(at(find(inMilliseconds, 'StatefulSet'), `${pod}.terminationGracePeriodSeconds`), 105);
  });

  test('starts anew when its configuration changes, and only then', async () => {
    const sum = (objects: readonly KubernetesObject[]): unknown =>
      (at(find(objects, 'StatefulSet'), 'spec.template.metadata.annotations') as Values)['checksum/config'];
    assert.match(String(sum(sqlite)), /^[0-9a-f]{64}$/);
    assert.notEqual(sum(await render({ config: { ...backend, log: { level: 'debug' } } })), sum(sqlite));
    assert.equal(sum(await render({ config: backend, service: { port: 81 } })), sum(sqlite));
  });

  test('is guarded against disruption, and spread over nodes, above one replica only', () => {
    assert.deepEqual(at(find(many, 'PodDisruptionBudget'), 'spec.maxUnavailable'), 1);
    assert.equal(
      at(find(many, 'Deployment'), `${pod}.topologySpreadConstraints.0.topologyKey`),
      'kubernetes.io/hostname',
    );
    assert.equal(sqlite.filter(({ kind }) => kind === 'PodDisruptionBudget').length, 0);
    assert.equal(at(find(sqlite, 'StatefulSet'), `${pod}.topologySpreadConstraints`), undefined);
  });

  test('leaves the number of replicas to the autoscaler where there is one', async () => {
    const objects = await render({ ...postgres, autoscaling: { enabled: true, maxReplicas: 4 } });
    assert.equal('replicas' in (find(objects, 'Deployment')['spec'] as Values), false);
    const scaler = find(objects, 'HorizontalPodAutoscaler');
    assert.deepEqual(at(scaler, 'spec.scaleTargetRef'), {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'gate-latchkey',
    });
    assert.deepEqual([at(scaler, 'spec.minReplicas'), at(scaler, 'spec.maxReplicas')], [2, 4]);
    assert.equal(at(find(objects, 'PodDisruptionBudget'), 'spec.maxUnavailable'), 1);
  });

  test('takes its volume from a claim of the operator, or loses it with the pod, as told', async () => {
    const claimed = find(
      await render({ config: backend, persistence: { existingClaim: 'mine' } }),
      'StatefulSet',
    );
    assert.equal(at(claimed, `${pod}.volumes.1.persistentVolumeClaim.claimName`), 'mine');
    assert.equal(at(claimed, 'spec.volumeClaimTemplates'), undefined);
    const lost = find(await render({ config: backend, persistence: { enabled: false } }), 'StatefulSet');
    assert.deepEqual(at(lost, `${pod}.volumes.1`), { name: 'latchkey-data', emptyDir: {} });
  });
});

describe('the configuration', requireHelm(), () => {
  test('is what values.config says, over what a pod needs', async () => {
    const written = { ...backend, listen: { port: 9000 }, limits: { drain: '1m', connections: 1_000_000 } };
    const objects = await render({ config: written });
    assert.deepEqual(configOf(objects), {
      ...written,
      admin: { host: '::', port: 8081 },
      dataDir: '/var/lib/latchkey',
    });
    assert.equal(at(find(objects, 'StatefulSet'), `${container}.ports.0.containerPort`), 9000);
  });

  test('names the files of secrets, which are mounted for nobody but the gateway', async () => {
    const objects = await render({
      config: {
        ...backend,
        store: { url: 'postgres://latchkey@postgres/latchkey', poolMax: 4 },
        redis: { mode: 'sentinel', sentinelName: 'm', nodes: ['s:26379'] },
      },
      existingSecret: 'secrets',
      secretKeys: {
        pepper: 'p',
        pepperId: '2026a',
        assertionKey: 'a',
        storePassword: 's',
        redisPassword: 'r',
        redisSentinelPassword: 'rs',
      },
    });
    const file = (name: string): unknown => ({ fromFile: `/run/secrets/latchkey/${name}` });
    const config = configOf(objects);
    assert.deepEqual(at(config, 'peppers'), [{ id: '2026a', secret: file('p') }]);
    assert.deepEqual(at(config, 'assertionKey'), file('a'));
    assert.deepEqual(at(config, 'store'), {
      url: 'postgres://latchkey@postgres/latchkey',
      poolMax: 4,
      password: file('s'),
    });
    assert.deepEqual(at(config, 'redis.password'), file('r'));
    assert.deepEqual(at(config, 'redis.sentinelPassword'), file('rs'));
    const deployment = find(objects, 'Deployment');
    assert.deepEqual(at(deployment, `${pod}.volumes.1.secret`), {
      secretName: 'secrets',
      defaultMode: 0o440,
    });
    assert.deepEqual(at(deployment, `${container}.volumeMounts.2`), {
      name: 'latchkey-secrets',
      mountPath: '/run/secrets/latchkey',
      readOnly: true,
    });
    assert.equal(at(deployment, `${container}.envFrom`), undefined);
  });

  test('is left to a ConfigMap of the operator where one is named', async () => {
    const objects = await render({ existingConfigMap: 'mine', config: { listen: { port: 9000 } } });
    assert.equal(objects.filter(({ kind }) => kind === 'ConfigMap').length, 0);
    const set = find(objects, 'StatefulSet');
    assert.equal(at(set, `${pod}.volumes.0.configMap.name`), 'mine');
    assert.equal(at(set, `${container}.ports.0.containerPort`), 9000);
  });

  test('never sets a variable twice: extraEnv replaces what the chart or an earlier entry says', async () => {
    const objects = await render({
      config: backend,
      extraEnv: [
        { name: 'A', value: '1' },
        { name: 'B', value: '2' },
        { name: 'A', value: '3' },
      ],
    });
    assert.deepEqual(at(find(objects, 'StatefulSet'), `${container}.env`), [
      { name: 'LATCHKEY_CONFIG', value: '/etc/latchkey/latchkey.yaml' },
      { name: 'B', value: '2' },
      { name: 'A', value: '3' },
    ]);
  });

  test('has the certificate of tls.existingSecret, and services say so', async () => {
    const objects = await render({
      config: backend,
      tls: { existingSecret: 'cert' },
      ingress: { enabled: true, className: 'nginx' },
    });
    assert.deepEqual(at(configOf(objects), 'listen'), {
      port: 8080,
      tls: {
        cert: { fromFile: '/run/secrets/latchkey-tls/tls.crt' },
        key: { fromFile: '/run/secrets/latchkey-tls/tls.key' },
      },
    });
    assert.equal(at(find(objects, 'Service', 'gate-latchkey'), 'spec.ports.0.appProtocol'), 'https');
    const annotations = at(find(objects, 'Ingress'), 'metadata.annotations') as Values;
    assert.equal(annotations['nginx.ingress.kubernetes.io/backend-protocol'], 'HTTPS');
  });
});

/** Every text and number below a value, with the path to it. */
function leaves(value: unknown, path: string): readonly (readonly [string, string])[] {
  if (typeof value === 'string' || typeof value === 'number') return [[path, String(value)]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, `${path}.${key}`));
}

test('every value of ci/every-value-values.yaml arrives in an object', requireHelm(), async () => {
  const text = await readFile(join(chartFolder, 'ci/every-value-values.yaml'), 'utf8');
  const values = parse(text, { version: '1.1' }) as Values;
  const rendered = JSON.stringify(await render(values));
  // A variable that is set twice has its last value; templates in extra objects are expanded.
  const replaced = /^\.(extraEnv\.0\.value|extraObjects\..*)$/;
  const lost = leaves(values, '').filter(
    ([path, leaf]) => !replaced.test(path) && !rendered.includes(JSON.stringify(leaf).slice(1, -1)),
  );
  assert.deepEqual(lost, []);
  assert.ok(rendered.includes('"access-gate-map"') && rendered.includes('"gate-text"'));
});

test('every name that values.yaml has is read by a template', requireHelm(), async () => {
  const folder = join(chartFolder, 'templates');
  const texts = await Promise.all(
    (await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')),
  );
  const names = Object.keys(parse(await readFile(join(chartFolder, 'values.yaml'), 'utf8')) as Values);
  const unread = names.filter(
    (name) => !new RegExp(`\\.Values\\.${name}\\b|"${name}"`).test(texts.join('\n')),
  );
  assert.deepEqual(unread, []);
});

/** Names of keys below which the configuration takes {fromFile} or {fromEnv}. */
function secretKeysOf(schema: JsonSchema, name = ''): readonly string[] {
  if (schema.properties?.['fromFile'] ?? schema.properties?.['fromEnv']) return [name];
  return [
    ...Object.entries(schema.properties ?? {}).flatMap(([key, child]) => secretKeysOf(child, key)),
    ...(schema.items ? secretKeysOf(schema.items, name) : []),
    ...(schema.anyOf ?? []).flatMap((child) => secretKeysOf(child, name)),
  ];
}

test('every secret that the configuration takes is refused in a ConfigMap', async () => {
  const text = await readFile(join(chartFolder, 'templates/_checks.tpl'), 'utf8');
  const [, listed = ''] = /has \.key \(list ([^)]*)\)/.exec(text) ?? [];
  const refused = [...listed.matchAll(/"(\w+)"/g)].map(([, key = '']) => key);
  // Certificates are for everybody to see.
  const certificates = new Set(['backendCa', 'ca', 'cert']);
  const secret = [...new Set(secretKeysOf(configJsonSchema))].filter((key) => !certificates.has(key));
  assert.deepEqual(refused, secret.toSorted());
});

test('values.schema.json knows the keys of the configuration, and no others', async () => {
  const schema = JSON.parse(await readFile(join(chartFolder, 'values.schema.json'), 'utf8')) as Values;
  const known = Object.keys(at(schema, 'properties.config.properties') as Values);
  assert.deepEqual(known.toSorted(), Object.keys(configJsonSchema.properties ?? {}).toSorted());
});
