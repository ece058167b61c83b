import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startChild, type Child } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { at, configText, find, render, requireHelm, type KubernetesObject } from '../support/helm.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

const main = join(import.meta.dirname, '../../src/main.ts');
const container = 'spec.template.spec.containers.0';

describe('the pod that the chart describes, as a process', requireHelm(), () => {
  let scratch: Scratch;
  let child: Child;
  let workload: KubernetesObject;
  const portOf = (name: string): number => {
    const ports = at(workload, `${container}.ports`) as readonly { name: string; containerPort: number }[];
    return ports.find((port) => port.name === name)?.containerPort ?? 0;
  };
  const answer = async (probe: string): Promise<number | null> => {
    const { path, port } = at(workload, `${container}.${probe}.httpGet`) as { path: string; port: string };
    return exchange(portOf(port), 'GET', path).then(status, () => null);
  };

  before(async () => {
    scratch = await makeScratch('pod');
    const [port, adminPort, doorsPort] = [await freePort(), await freePort(), await freePort()];
    const objects = await render({
      config: {
        backend: 'http://127.0.0.1:9',
        listen: { port },
        admin: { port: adminPort },
        doors: { port: doorsPort, trusted: ['127.0.0.0/8'], open: ['nginx'] },
      },
    });
    workload = find(objects, 'StatefulSet');
    // Where the pod has volumes, here are folders.
    const file = scratch.file('latchkey.yaml');
    await writeFile(file, configText(objects).replace('/var/lib/latchkey', scratch.file('data')));
    const [variable] = at(workload, `${container}.env`) as readonly { name: string }[];
    child = startChild({
      label: 'latchkey',
      command: process.execPath,
      args: [main, ...(at(workload, `${container}.args`) as readonly string[])],
      cwd: scratch.path,
      env: { [variable?.name ?? '']: file },
    });
    await eventually('the startup probe', async () => (await answer('startupProbe')) === 200, {
      withinMs: 60_000,
      everyMs: 50,
    });
  });
  after(async () => {
    await child.stop();
    await scratch.remove();
  });

  test('answers every probe on the port that the probe names', async () => {
    assert.equal(await answer('livenessProbe'), 200);
    assert.equal(await answer('readinessProbe'), 200);
  });

  test('serves clients, metrics and doors on the ports that Services lead to', async () => {
    assert.equal(status(await exchange(portOf('latchkey'), 'GET', '/')), 401);
    assert.equal(status(await exchange(portOf('latchkey-admin'), 'GET', '/metrics')), 200);
    assert.equal(status(await exchange(portOf('latchkey-doors'), 'GET', '/doors/caddy')), 404);
  });

  test('ends at TERM by itself', async () => {
    child.signal('SIGTERM');
    assert.deepEqual(await child.exited, { code: 0, signal: null }, child.stderr());
  });
});
