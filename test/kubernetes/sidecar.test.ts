import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { checkConfig } from '../support/chart-config.ts';
import { at, chartFolder, configText, find, nameOf, render, requireHelm, template } from '../support/helm.ts';
import type { KubernetesObject, Values } from '../support/helm.ts';
import { schemaProblems } from '../support/kubernetes-schema.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

const example = join(import.meta.dirname, '../../examples/helm-sidecar');
const pod = 'spec.template.spec';

describe('a chart that takes the gateway into its own pod', requireHelm(), () => {
  let scratch: Scratch;
  let chart: string;
  let objects: readonly KubernetesObject[];
  before(async () => {
    scratch = await makeScratch('sidecar');
    chart = scratch.file('files');
    await cp(example, chart, { recursive: true });
    // What `helm dependency update` does.
    await cp(chartFolder, join(chart, 'charts/latchkey'), { recursive: true });
    objects = await render({}, { chart });
  });
  after(() => scratch.remove());

  test('gets from it a ConfigMap and nothing else', () => {
    assert.deepEqual(objects.map(nameOf).toSorted(), [
      'ConfigMap/gate-latchkey',
      'Service/gate-files',
      'StatefulSet/gate-files',
    ]);
    assert.deepEqual(objects.flatMap(schemaProblems), []);
    assert.equal(at(parse(configText(objects)), 'backend'), 'http://127.0.0.1:8008');
  });

  test('has a container that starts first, ends last, and is bound as strictly as a pod of its own', () => {
    const set = find(objects, 'StatefulSet');
    const sidecar = at(set, `${pod}.initContainers.0`);
    assert.equal(at(sidecar, 'name'), 'latchkey');
    assert.equal(at(sidecar, 'restartPolicy'), 'Always');
    assert.deepEqual(at(sidecar, 'securityContext'), {
      runAsNonRoot: true,
      runAsUser: 1000,
      runAsGroup: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    assert.equal(at(sidecar, 'readinessProbe.httpGet.port'), 'latchkey-admin');
  });

  test('keeps tokens in the volume that it names, and reads the configuration of the ConfigMap', () => {
    const set = find(objects, 'StatefulSet');
    assert.deepEqual(at(set, `${pod}.initContainers.0.volumeMounts`), [
      { name: 'latchkey-config', mountPath: '/etc/latchkey', readOnly: true },
      { name: 'latchkey-tokens', mountPath: '/var/lib/latchkey' },
    ]);
    assert.deepEqual(at(set, `${pod}.volumes`), [
      { name: 'latchkey-config', configMap: { name: 'gate-latchkey' } },
    ]);
  });

  test('starts anew with another configuration', async () => {
    const sum = (rendered: readonly KubernetesObject[]): unknown =>
      (at(find(rendered, 'StatefulSet'), 'spec.template.metadata.annotations') as Values)[
        'checksum/latchkey-config'
      ];
    assert.match(String(sum(objects)), /^[0-9a-f]{64}$/);
    const other = await render({ latchkey: { config: { log: { level: 'debug' } } } }, { chart });
    assert.notEqual(sum(other), sum(objects));
  });

  test('mounts secrets and, without a volume of its own, an emptyDir', async () => {
    const rendered = await render(
      {
        latchkey: {
          existingSecret: 'secrets',
          secretKeys: { pepper: 'pepper' },
          persistence: { enabled: false },
          sidecar: { dataVolume: '', native: false },
        },
      },
      { chart },
    );
    const set = find(rendered, 'StatefulSet');
    const names = (at(set, `${pod}.volumes`) as readonly { name: string }[]).map(({ name }) => name);
    assert.deepEqual(names, ['latchkey-config', 'latchkey-secrets', 'latchkey-data']);
    // The pod may have no fsGroup, and what is mounted belongs to root.
    assert.equal(at(set, `${pod}.volumes.1.secret.defaultMode`), 0o444);
    assert.equal(at(set, `${pod}.initContainers.0.restartPolicy`), undefined);
  });

  test('may listen on a socket that it shares with another container', async () => {
    const rendered = await render(
      { latchkey: { config: { listen: { socket: '/run/latchkey/clients.sock' } } } },
      { chart },
    );
    assert.equal((await checkConfig(rendered)).stderr, '');
    const ports = at(find(rendered, 'StatefulSet'), `${pod}.initContainers.0.ports`);
    assert.deepEqual(ports, [{ name: 'latchkey-admin', containerPort: 8081, protocol: 'TCP' }]);
  });

  test('is refused where the gateway would have pods of its own too', async () => {
    const { code, stderr } = await template({ latchkey: { mode: 'gateway' } }, { chart });
    assert.notEqual(code, 0);
    assert.match(
      stderr,
      /mode is gateway, which would make pods of its own too: set latchkey\.mode to sidecar/,
    );
  });
});

test('docs/kubernetes.md shows a container that is what the chart renders', requireHelm(), async () => {
  const page = await readFile(join(import.meta.dirname, '../../docs/kubernetes.md'), 'utf8');
  const snippet = /<!-- sidecar -->\n+```yaml\n([^`]*)```/.exec(page)?.[1];
  assert.ok(snippet, 'a snippet below <!-- sidecar -->');
  const shown = parse(snippet, { version: '1.1' }) as { readonly initContainers: readonly Values[] };
  const scratch = await makeScratch('sidecar');
  try {
    await cp(example, scratch.file('files'), { recursive: true });
    await cp(chartFolder, scratch.file('files/charts/latchkey'), { recursive: true });
    const set = find(await render({}, { chart: scratch.file('files') }), 'StatefulSet');
    const rendered = at(set, `${pod}.initContainers.0`) as Values;
    const { image, volumeMounts, ...rest } = shown.initContainers[0] ?? {};
    assert.ok(image !== undefined && volumeMounts !== undefined);
    assert.deepEqual({ ...rendered, ...rest }, rendered);
  } finally {
    await scratch.remove();
  }
});
