import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { at, configText, find, nameOf, render, requireHelm, type Values } from '../support/helm.ts';

const backend = { backend: 'http://files:8008' };
const container = 'spec.template.spec.containers.0';

describe('ways in', requireHelm(), () => {
  test('are none by default: no Ingress, no HTTPRoute, no doors', async () => {
    const kinds = (await render({ config: backend })).map(nameOf).toSorted();
    assert.deepEqual(kinds, [
      'ConfigMap/gate-latchkey',
      'Service/gate-latchkey',
      'Service/gate-latchkey-admin',
      'ServiceAccount/gate-latchkey',
      'StatefulSet/gate-latchkey',
    ]);
  });

  test('lead to the same port by Ingress and by HTTPRoute', async () => {
    const objects = await render({
      config: backend,
      service: { port: 8000 },
      ingress: { enabled: true, className: 'traefik', hosts: [{ host: 'files.example.org' }] },
      httpRoute: { enabled: true, parentRefs: [{ name: 'public' }], hostnames: ['files.example.org'] },
    });
    assert.deepEqual(at(find(objects, 'Ingress'), 'spec.rules.0'), {
      host: 'files.example.org',
      http: {
        paths: [
          {
            path: '/',
            pathType: 'Prefix',
            backend: { service: { name: 'gate-latchkey', port: { number: 8000 } } },
          },
        ],
      },
    });
    assert.equal(at(find(objects, 'Ingress'), 'metadata.annotations'), undefined);
    assert.deepEqual(at(find(objects, 'HTTPRoute'), 'spec'), {
      parentRefs: [{ name: 'public' }],
      hostnames: ['files.example.org'],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ name: 'gate-latchkey', port: 8000 }],
          timeouts: { request: '0s' },
        },
      ],
    });
  });

  test('let uploads of any size through ingress-nginx, unless the operator says otherwise', async () => {
    const objects = await render({
      config: backend,
      ingress: {
        enabled: true,
        className: 'nginx-internal',
        annotations: { 'nginx.ingress.kubernetes.io/proxy-body-size': '1g' },
      },
    });
    const annotations = at(find(objects, 'Ingress'), 'metadata.annotations') as Values;
    assert.equal(annotations['nginx.ingress.kubernetes.io/proxy-request-buffering'], 'off');
    assert.equal(annotations['nginx.ingress.kubernetes.io/proxy-body-size'], '1g');
  });

  test('include a Service for the doors that are configured, and only for those', async () => {
    const doors = { port: 9082, trusted: ['10.0.0.0/8'] };
    const http = await render({ config: { ...backend, doors } });
    assert.deepEqual(at(find(http, 'Service', 'gate-latchkey-doors'), 'spec.ports'), [
      { name: 'doors', port: 8082, targetPort: 'latchkey-doors', protocol: 'TCP', appProtocol: 'http' },
    ]);
    assert.equal(at(parse(configText(http)), 'doors.host'), '::');
    const both = await render({
      config: { ...backend, doors: { ...doors, grpcPort: 9083 } },
      doorsService: { grpcPort: 50051 },
    });
    const service = find(both, 'Service', 'gate-latchkey-doors');
    assert.equal(at(service, 'spec.ports.1.port'), 50051);
    assert.equal(at(service, 'spec.ports.1.appProtocol'), 'kubernetes.io/h2c');
    assert.equal(at(find(both, 'StatefulSet'), `${container}.ports.3.containerPort`), 9083);
    const grpc = await render({
      config: { ...backend, doors: { grpcPort: 9083, trusted: ['10.0.0.0/8'], open: ['envoy'] } },
    });
    assert.equal(at(find(grpc, 'Service', 'gate-latchkey-doors'), 'spec.ports.0.name'), 'grpc');
    assert.equal(at(parse(configText(grpc)), 'doors.host'), '::', 'beyond the pod');
  });

  test('are closed by a NetworkPolicy to all but those it names', async () => {
    const peer = (name: string): unknown => ({ podSelector: { matchLabels: { app: name } } });
    const config = { ...backend, doors: { port: 8082, trusted: ['10.0.0.0/8'] } };
    const closed = find(await render({ config, networkPolicy: { enabled: true } }), 'NetworkPolicy');
    assert.deepEqual(at(closed, 'spec.ingress'), [{ ports: [{ port: 'latchkey', protocol: 'TCP' }] }]);
    assert.deepEqual(at(closed, 'spec.policyTypes'), ['Ingress']);
    const open = find(
      await render({
        config,
        networkPolicy: {
          enabled: true,
          clients: [peer('ingress')],
          metrics: [peer('prometheus')],
          doors: [peer('nginx')],
          egress: [{ ports: [{ port: 8008 }] }],
        },
      }),
      'NetworkPolicy',
    );
    assert.deepEqual(at(open, 'spec.ingress'), [
      { ports: [{ port: 'latchkey', protocol: 'TCP' }], from: [peer('ingress')] },
      { ports: [{ port: 'latchkey-admin', protocol: 'TCP' }], from: [peer('prometheus')] },
      { ports: [{ port: 'latchkey-doors', protocol: 'TCP' }], from: [peer('nginx')] },
    ]);
    assert.deepEqual(at(open, 'spec.egress.1'), { ports: [{ port: 8008 }] });
  });
});

describe('monitoring', requireHelm(), () => {
  test('finds the admin port of every pod by labels of its Service', async () => {
    const objects = await render({ config: backend, metrics: { serviceMonitor: { enabled: true } } });
    const monitor = find(objects, 'ServiceMonitor');
    const labels = at(find(objects, 'Service', 'gate-latchkey-admin'), 'metadata.labels') as Values;
    const wanted = at(monitor, 'spec.selector.matchLabels') as Values;
    assert.deepEqual({ ...labels, ...wanted }, labels);
    assert.equal(at(monitor, 'spec.endpoints.0.port'), 'admin');
    assert.deepEqual(at(monitor, 'spec.namespaceSelector.matchNames'), ['apps']);
    assert.equal(at(monitor, 'spec.endpoints.0.relabelings'), undefined);
  });

  test('has a job whose name the alerts know, also where nothing else is named after the program', async () => {
    const relabelings = [{ action: 'labeldrop', regex: 'pod' }];
    const objects = await render({
      config: backend,
      fullnameOverride: 'access',
      metrics: { serviceMonitor: { enabled: true, relabelings } },
    });
    assert.deepEqual(at(find(objects, 'ServiceMonitor'), 'spec.endpoints.0.relabelings'), [
      { targetLabel: 'job', replacement: 'latchkey-access-admin' },
      ...relabelings,
    ]);
  });

  test('has every alert but those left out, with what Prometheus fills in left as it is', async () => {
    const objects = await render({
      config: backend,
      metrics: { prometheusRule: { enabled: true, disabled: ['LatchkeyGuessing'] } },
    });
    const groups = at(find(objects, 'PrometheusRule'), 'spec.groups') as readonly {
      readonly rules: readonly { readonly alert: string; readonly annotations: Values }[];
    }[];
    const rules = groups.flatMap((group) => group.rules);
    assert.ok(rules.length > 10);
    assert.ok(!rules.some(({ alert }) => alert === 'LatchkeyGuessing'));
    const down = rules.find(({ alert }) => alert === 'LatchkeyDown');
    assert.match(String(down?.annotations['description']), /^\{\{ \$labels\.instance \}\}/);
  });

  test('puts the dashboard where the sidecar of Grafana looks for it', async () => {
    const objects = await render({ config: backend, metrics: { dashboard: { enabled: true } } });
    const map = find(objects, 'ConfigMap', 'gate-latchkey-dashboard');
    assert.equal((at(map, 'metadata.labels') as Values)['grafana_dashboard'], '1');
    const dashboard = JSON.parse(String((map['data'] as Values)['latchkey.json'])) as Values;
    assert.equal(dashboard['title'], 'Latchkey');
  });
});
