import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { run, type Finished } from './child-process.ts';
import { findProgram, type Requirement } from './requirement.ts';
import { makeScratch } from './scratch.ts';

/** An object as Kubernetes takes it. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** Values over those of the chart; a list or map as it stands in a values file. */
export type Values = Readonly<Record<string, unknown>>;

/** The folder of the chart. */
export const chartFolder: string = join(import.meta.dirname, '../../helm/latchkey');

// helm built from source without its own flags believes in a cluster of long ago.
const cluster = ['--kube-version', '1.34.0'];

/**
 * Runs a test only where helm is installed; a named skip otherwise.
 * @throws Error where it is not and `CI=true`
 */
export function requireHelm(): Requirement {
  if (findProgram('helm') !== null) return { skip: false };
  const reason = 'not installed: helm (npm test builds it where Go is installed)';
  if (process.env['CI'] === 'true') throw new Error(`CI=true, and ${reason}`);
  return { skip: reason };
}

/** Runs helm in a home of its own; any exit code resolves. `values` are handed to it as a file. */
export async function helm(args: readonly string[], values?: Values): Promise<Finished> {
  const scratch = await makeScratch('helm');
  try {
    const home = scratch.file('home');
    await mkdir(home);
    const file = scratch.file('values.yaml');
    // JSON is YAML.
    if (values !== undefined) await writeFile(file, JSON.stringify(values));
    return await run({
      label: `helm ${args.join(' ')}`,
      command: findProgram('helm') ?? 'helm',
      args: [...args, ...(values === undefined ? [] : ['--values', file])],
      env: { HOME: home, HELM_CACHE_HOME: home, HELM_CONFIG_HOME: home, HELM_DATA_HOME: home },
    });
  } finally {
    await scratch.remove();
  }
}

/** What `helm template` of a release `gate` in the namespace `apps` says; any exit code resolves. */
export function template(
  values: Values,
  options: { readonly chart?: string; readonly args?: readonly string[] } = {},
): Promise<Finished> {
  const { chart = chartFolder, args = [] } = options;
  return helm(['template', 'gate', chart, '--namespace', 'apps', ...cluster, ...args], values);
}

/** `helm lint`, where a warning fails too; any exit code resolves. */
export function lint(args: readonly string[]): Promise<Finished> {
  return helm(['lint', chartFolder, '--strict', ...cluster, ...args]);
}

/** The objects that the chart renders. Rejects with helm's own words where it refuses. */
export async function render(
  values: Values,
  options: Parameters<typeof template>[1] = {},
): Promise<readonly KubernetesObject[]> {
  const { code, stdout, stderr } = await template(values, options);
  if (code !== 0) throw new Error(stderr);
  return objectsOf(stdout);
}

/** The objects of a manifest. Rejects one that readers of YAML 1.1 and 1.2 would understand differently. */
export function objectsOf(manifest: string): readonly KubernetesObject[] {
  const [objects, others] = (['1.1', '1.2'] as const).map((version) =>
    parseAllDocuments(manifest, { version }).map((document): unknown => {
      if (document.errors[0]) throw document.errors[0];
      return document.toJS();
    }),
  );
  if (JSON.stringify(objects) !== JSON.stringify(others)) throw new Error('YAML 1.1 and 1.2 differ');
  return (objects as KubernetesObject[]).filter((object) => object !== null);
}

/** The one object of a kind, and of a name where there are several. */
export function find(objects: readonly KubernetesObject[], kind: string, name?: string): KubernetesObject {
  const found = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  if (found.length !== 1 || !found[0]) {
    throw new Error(`${found.length} of ${kind} ${name ?? ''} among ${objects.map(nameOf).join(', ')}`);
  }
  return found[0];
}

/** Kind and name, as kubectl writes them. */
export function nameOf({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.name}`;
}

/** The text of latchkey.yaml in the one ConfigMap that holds it. */
export function configText(objects: readonly KubernetesObject[]): string {
  const texts = objects.flatMap(({ kind, data }) => {
    const text = kind === 'ConfigMap' ? (data as Values | undefined)?.['latchkey.yaml'] : undefined;
    return typeof text === 'string' ? [text] : [];
  });
  if (texts.length !== 1 || texts[0] === undefined)
    throw new Error(`${texts.length} maps hold latchkey.yaml`);
  return texts[0];
}

/** The value at a path such as `spec.ports.0.name`; undefined where there is none. */
export function at(object: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | null | undefined)?.[key], object);
}
