import assert from 'node:assert/strict';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { at, chartFolder, find, render, requireHelm, type Values } from '../support/helm.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

// `helm template` keeps the notes to itself; here they are what a ConfigMap holds.
const asObject = `apiVersion: v1
kind: ConfigMap
metadata: { name: notes }
data:
  text: |
    {{- include (print .Template.BasePath "/NOTES.txt") . | nindent 4 }}
`;

describe('after the installation helm says', requireHelm(), () => {
  let scratch: Scratch;
  before(async () => {
    scratch = await makeScratch('notes');
    await cp(chartFolder, scratch.file('latchkey'), { recursive: true });
    await writeFile(scratch.file('latchkey/templates/notes.yaml'), asObject);
  });
  after(() => scratch.remove());

  const notes = async (values: Values): Promise<string> =>
    String(
      at(find(await render(values, { chart: scratch.file('latchkey') }), 'ConfigMap', 'notes'), 'data.text'),
    );
  const variant = async (name: string): Promise<string> =>
    notes(
      parse(await readFile(join(chartFolder, 'ci', `${name}-values.yaml`), 'utf8'), {
        version: '1.1',
      }) as Values,
    );

  test('how to make the first token, in the pod that there is', async () => {
    assert.match(
      await variant('minimal'),
      /kubectl -n apps exec statefulset\/gate-latchkey -- latchkey token create/,
    );
    assert.match(
      await variant('doors'),
      /kubectl -n apps exec deployment\/gate-latchkey -- latchkey token create/,
    );
    assert.match(await variant('sidecar'), /kubectl -n apps exec POD -c latchkey -- latchkey token create/);
  });

  test('how to reach it where nothing outside leads there', async () => {
    assert.match(
      await variant('minimal'),
      /kubectl -n apps port-forward service\/gate-latchkey 8080:80\n.*http:\/\/localhost:8080\//,
    );
    assert.match(await variant('tls'), /curl .* https:\/\/\$ADDRESS:443\//);
  });

  test('the address of an Ingress, and what its class has to be told', async () => {
    const nginx = await variant('sqlite-ingress-nginx');
    assert.match(nginx, /https:\/\/files\.example\.org\//);
    assert.match(nginx, /It gets no fixes since March 2026/);
    assert.match(nginx, /In the browser: https:\/\/tokens\.example\.org\/\.latchkey\//);
    const traefik = await variant('traefik');
    assert.match(traefik, /respondingTimeouts\.readTimeout=0/);
    assert.match(await variant('every-value'), /By the Ingress class haproxy\./);
  });

  test('the address of a Gateway, and how to see whether it has taken the route', async () => {
    const text = await variant('postgres-gateway-api');
    assert.match(text, /https:\/\/files\.example\.org\//);
    assert.match(text, /By the Gateway public \(Gateway API\)/);
    assert.match(text, /get httproute gate-latchkey/);
  });

  test('what will hurt later: unknown proxies, tokens that are lost with the pod, pods that do not share, closed doors', async () => {
    const warned = await notes({
      config: { backend: 'http://files:8008' },
      persistence: { enabled: false },
      ingress: { enabled: true },
    });
    assert.match(warned, /WARNING: config\.trustedProxies is empty/);
    assert.match(warned, /WARNING: persistence\.enabled is false/);
    assert.match(await variant('doors'), /Without config\.redis each pod counts wrong secrets for itself/);
    assert.match(await variant('doors'), /http:\/\/gate-latchkey-doors\.apps:8082\/doors\/NAME/);
    const shut = await notes({
      config: {
        backend: 'http://files:8008',
        doors: { port: 8082, trusted: ['10.0.0.0/8'], open: ['nginx'] },
        workers: 'auto',
      },
      networkPolicy: { enabled: true },
      tls: { existingSecret: 'cert' },
      httpRoute: { enabled: true, parentRefs: [{ name: 'public' }] },
      metrics: { serviceMonitor: { enabled: true } },
    });
    assert.match(shut, /WARNING: gate-latchkey speaks TLS.*BackendTLSPolicy/);
    assert.match(shut, /WARNING: networkPolicy\.metrics is empty/);
    assert.match(shut, /WARNING: networkPolicy\.doors is empty/);
    assert.match(shut, /WARNING: config\.workers is auto/);
    const calm = await variant('postgres-gateway-api');
    assert.doesNotMatch(calm, /WARNING|Without config\.redis/);
  });
});
