import assert from 'node:assert/strict';
import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';
import { checkConfig } from '../support/chart-config.ts';
import { runCommand } from '../support/command-line.ts';
import {
  at,
  helm,
  objectsOf,
  requireHelm,
  template,
  type KubernetesObject,
  type Values,
} from '../support/helm.ts';
import { schemaProblems } from '../support/kubernetes-schema.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

const root = join(import.meta.dirname, '../..');
const read = (name: string): Promise<string> => readFile(join(root, name), 'utf8');
const pages: Readonly<Record<string, string>> = {
  'README.md': /\n## Kubernetes\n[\s\S]*?(?=\n## )/.exec(await read('README.md'))?.[0] ?? '',
  'docs/kubernetes.md': await read('docs/kubernetes.md'),
  'helm/latchkey/README.md': await read('helm/latchkey/README.md'),
};

/** One fenced block, with what kind it says it is. */
interface Block {
  readonly kind: string;
  readonly text: string;
}

function blocksOf(page: string): readonly Block[] {
  return [...page.matchAll(/```(\w+)\n([\s\S]*?)```/g)].map(([, kind = '', text = '']) => ({ kind, text }));
}

/** Command lines of a block, continued ones made whole. */
function commandsOf({ text }: Block): readonly string[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line !== '');
}

/** What a shell makes of a line of words and single quotes. */
function wordsOf(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
}

for (const [name, page] of Object.entries(pages)) {
  describe(`the commands of ${name}`, requireHelm(), () => {
    let scratch: Scratch;
    before(async () => {
      scratch = await makeScratch('documents');
      for (const folder of ['helm', 'examples']) {
        await cp(join(root, folder), scratch.file(folder), { recursive: true });
      }
    });
    after(() => scratch.remove());

    // `# values.yaml` begins the file that the next commands name.
    let values: Values = {};
    for (const block of blocksOf(page)) {
      if (block.kind === 'yaml' && block.text.startsWith('# values.yaml\n')) {
        values = parse(block.text, { version: '1.1' }) as Values;
      }
      if (block.kind !== 'sh') continue;
      const given = values;
      for (const line of commandsOf(block)) {
        const [, latchkey] = /^kubectl .* -- latchkey (.*)$/.exec(line) ?? [];
        if (latchkey !== undefined) test(line, () => runLatchkey(latchkey, scratch));
        if (line.startsWith('helm ')) test(line, () => runHelm(wordsOf(line).slice(1), given, scratch));
      }
    }
  });
}

async function runLatchkey(line: string, scratch: Scratch): Promise<void> {
  const words = wordsOf(line);
  // What it finds depends on the pod; that there is such a command does not.
  const args = words[0] === 'doctor' ? [...words, '--help'] : words;
  const outcome = await runCommand(args, { cwd: scratch.path });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
}

/** Installs become templates: there is no cluster. */
async function runHelm(words: readonly string[], values: Values, scratch: Scratch): Promise<void> {
  const [command, ...rest] = words;
  if (command === 'dependency') {
    const { code, stderr } = await helm([command, ...rest.map((word) => localised(word, scratch))]);
    assert.equal(code, 0, stderr);
    return;
  }
  const args = rest.filter((word) => word !== '--create-namespace' && word !== '--install');
  const valuesAt = args.indexOf('--values');
  if (valuesAt >= 0) args.splice(valuesAt, 2);
  const [release, chart, ...more] = args;
  assert.ok(release && chart);
  const given = valuesAt >= 0 ? values : {};
  const { code, stdout, stderr } = await template(given, { chart: localised(chart, scratch), args: more });
  assert.equal(code, 0, stderr);
  const objects = objectsOf(stdout);
  assert.deepEqual(objects.flatMap(schemaProblems), []);
  const outcome = await checkConfig(objects);
  assert.equal(outcome.exitCode, 0, outcome.stderr);
}

function localised(word: string, scratch: Scratch): string {
  return /^(\.\/)?(helm|examples)\//.test(word) ? scratch.file(word) : word;
}

test('every object that docs/kubernetes.md shows is one that its schema accepts', async () => {
  const objects = blocksOf(pages['docs/kubernetes.md'] ?? '')
    .filter(({ kind, text }) => kind === 'yaml' && /^apiVersion:/m.test(text))
    // The schemas list the filters of the standard channel; they know what is in this one all the same.
    .map(({ text }) => text.replace('type: ExternalAuth', 'type: ExtensionRef'))
    .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as KubernetesObject));
  assert.ok(objects.length >= 4);
  const middlewares = objects.filter(({ kind }) => kind === 'Middleware');
  assert.deepEqual(objects.filter((object) => !middlewares.includes(object)).flatMap(schemaProblems), []);
  for (const middleware of middlewares) {
    assert.equal(middleware.apiVersion, 'traefik.io/v1alpha1');
    const { address, ...rest } = at(middleware, 'spec.forwardAuth') as Values;
    assert.match(String(address), /:8082\/doors\/traefik$/);
    // The example is what Traefik itself is tested with.
    const example = parse(await read('examples/traefik/latchkey.yaml')) as Values;
    const { address: _address, ...tested } = at(example, 'http.middlewares.latchkey.forwardAuth') as Values;
    assert.deepEqual(rest, tested);
  }
});

test('the annotations of docs/kubernetes.md copy the headers that the tested example copies', async () => {
  const ours = /auth-response-headers: (\S+)/.exec(pages['docs/kubernetes.md'] ?? '')?.[1];
  assert.ok(ours !== undefined);
  assert.ok((await read('examples/ingress-nginx/ingress.yaml')).includes(`auth-response-headers: ${ours}\n`));
});
