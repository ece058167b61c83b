import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parse } from 'yaml';
import { checkConfig } from '../support/chart-config.ts';
import {
  chartFolder,
  lint,
  nameOf,
  render,
  requireHelm,
  type KubernetesObject,
  type Values,
} from '../support/helm.ts';
import { schemaProblems } from '../support/kubernetes-schema.ts';

const variants = (await readdir(join(chartFolder, 'ci'))).toSorted();

test('the schemas of Kubernetes find a field that does not exist, a wrong type and a missing field', () => {
  const set = (spec: object): KubernetesObject => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'gate', labels: { 'any.name': 'is fine' } },
    spec: { selector: {}, template: { spec: { containers: [{ name: 'a', ...spec }] } } },
  });
  assert.deepEqual(schemaProblems(set({ image: 'b' })), []);
  assert.deepEqual(schemaProblems(set({ imagePullPolcy: 'Always' })), [
    'Deployment/gate: no field .spec.template.spec.containers.0.imagePullPolcy',
  ]);
  assert.match(
    schemaProblems(set({ ports: [{ containerPort: '80' }] })).join(),
    /containerPort must be integer/,
  );
  assert.match(schemaProblems(set({ env: [{}] })).join(), /name/);
});

describe('the chart', requireHelm(), () => {
  test('passes helm lint with every values file of ci/', async () => {
    const files = variants.map((name) => join(chartFolder, 'ci', name));
    for (const file of files) {
      const { code, stdout, stderr } = await lint(['--values', file]);
      assert.equal(code, 0, `${file}: ${stdout}${stderr}`);
    }
  });

  for (const name of variants) {
    describe(`with ci/${name}`, () => {
      let objects: readonly KubernetesObject[];

      test('renders objects that their schemas accept, without a field they do not know', async () => {
        const text = await readFile(join(chartFolder, 'ci', name), 'utf8');
        objects = await render(parse(text, { version: '1.1' }) as Values);
        assert.deepEqual(objects.flatMap(schemaProblems), []);
      });

      test('renders no two objects of the same name', () => {
        const names = objects.map(nameOf);
        assert.deepEqual(names, [...new Set(names)]);
      });

      test('renders no Secret', () => {
        assert.deepEqual(
          objects.filter(({ kind }) => kind === 'Secret'),
          [],
        );
      });

      test('writes a configuration that latchkey config check accepts', async () => {
        const outcome = await checkConfig(objects);
        assert.equal(outcome.exitCode, 0, `${outcome.stdout}${outcome.stderr}`);
      });
    });
  }
});
