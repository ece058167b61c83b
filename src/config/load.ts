import { dirname, resolve } from 'node:path';
import type { Config } from './config.ts';
import { crossCheck } from './cross-checks.ts';
import { describeIssues, valueAt, type Finding } from './issues.ts';
import { formatKey, type ConfigProblem, type KeyPath } from './problem.ts';
import { resolveConfig } from './resolve.ts';
import { configFileSchema } from './schema.ts';
import { secretReader } from './secrets.ts';
import { overlay, readOverrides, reasonOf, type FlagValue, type Override, type ReadFile } from './sources.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

/** Where a configuration may come from. */
export interface ConfigSources {
  /** Values from the command line; they win over everything else. */
  readonly flags: readonly FlagValue[];
  /** The value of --config, or null. */
  readonly configFlag: string | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths in flags, environment and defaults start here; those in the file start at the file. */
  readonly cwd: string;
  readonly readFile: ReadFile;
  /**
   * False for commands that work on the store alone: they need no backend, and secrets that cannot be read
   * are told in `missingSecrets` instead of ending the command.
   */
  readonly routesRequired: boolean;
}

/** A configuration to work with. */
export interface LoadedConfig {
  /** Deeply frozen. */
  readonly config: Config;
  /** Secrets that are empty in `config` because they cannot be read; none where routes are required. */
  readonly missingSecrets: readonly ConfigProblem[];
  /** Absolute path of the file it was read from, or null. */
  readonly file: string | null;
  /** Where the value at this key of the file format came from: `latchkey.yaml:3`, `LATCHKEY_STORE`, `--backend`, `default`. */
  originOf(path: KeyPath): string;
}

/** A configuration, or everything that is wrong with it. */
export type ConfigResult =
  | ({ readonly kind: 'loaded' } & LoadedConfig)
  | { readonly kind: 'invalid'; readonly file: string | null; readonly problems: readonly ConfigProblem[] };

/**
 * Reads flags, environment and file (flag > environment > `*_FILE` > file > default) into one frozen
 * configuration, or reports all problems at once. Pure over its sources; never throws, whatever the file holds.
 */
export function loadConfig(sources: ConfigSources): ConfigResult {
  const file = readConfigFile(sources);
  if ('problems' in file) return { kind: 'invalid', file: file.path, problems: file.problems };
  const { overrides, problems } = readOverrides(sources.flags, sources.env, sources.cwd, sources.readFile);
  const map = placeMap(file, overrides);
  const root = overlay(file.yaml?.value, overrides) ?? {};
  const parsed = configFileSchema.safeParse(root);
  const findings = [
    ...(parsed.success ? [] : describeIssues(parsed.error.issues, root)),
    ...crossCheck(root, { routesRequired: sources.routesRequired, inFile: map.inFile }),
  ];
  // A URL of Redis holds a password, so a file that was to hold it is as good as a secret.
  const unread = problems.filter(
    ({ kind, key }) => !sources.routesRequired && kind === 'environment' && key === 'redis',
  );
  const told = problems.filter((problem) => !unread.includes(problem));
  const wrong = [...told, ...toProblems('config', findings, map)];
  if (!parsed.success || wrong.length > 0) return { kind: 'invalid', file: file.path, problems: wrong };

  const fileFolder = file.path === null ? sources.cwd : dirname(file.path);
  const { config, findings: missing } = resolveConfig(
    parsed.data,
    secretReader(sources.env, fileFolder, sources.readFile),
    (key) => (map.inFile([key]) ? fileFolder : sources.cwd),
  );
  const missingSecrets = [...unread, ...toProblems('environment', missing, map)];
  const isNeeded = missingSecrets.some(({ key }) => sources.routesRequired || key.startsWith('store.'));
  if (isNeeded) {
    return { kind: 'invalid', file: file.path, problems: missingSecrets };
  }
  return {
    kind: 'loaded',
    config: deepFreeze(config),
    missingSecrets,
    file: file.path,
    originOf: map.originOf,
  };
}

interface ConfigFile {
  /** Absolute, or null where there is none. */
  readonly path: string | null;
  /** As messages name it. */
  readonly shown: string;
  readonly yaml: YamlSource | null;
}

function readConfigFile(
  sources: ConfigSources,
): ConfigFile | { readonly path: string; readonly problems: readonly ConfigProblem[] } {
  const named = sources.configFlag ?? (sources.env['LATCHKEY_CONFIG'] || null);
  const shown = named ?? 'latchkey.yaml';
  const path = resolve(sources.cwd, shown);
  let text: string;
  try {
    text = sources.readFile(path);
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (named === null && missing) return { path: null, shown, yaml: null };
    const where = named === null ? null : sources.configFlag === null ? 'LATCHKEY_CONFIG' : '--config';
    const message = `the configuration file ${path} ${reasonOf(error)}`;
    return { path, problems: [{ kind: missing ? 'config' : 'environment', where, key: '', message }] };
  }
  const yaml = readYaml(text);
  if (!('errors' in yaml)) return { path, shown, yaml };
  const problems = yaml.errors.map(
    ({ position, message }): ConfigProblem => ({
      kind: 'config',
      where: `${shown}:${position}`,
      key: '',
      message,
    }),
  );
  return { path, problems };
}

/** Knows for every key where its value was written. */
interface PlaceMap {
  /** `latchkey.yaml:3:9`, a variable or a flag; null where there is nothing to point at. */
  readonly where: (finding: Finding) => string | null;
  readonly inFile: (path: KeyPath) => boolean;
  readonly originOf: (path: KeyPath) => string;
}

function placeMap(file: ConfigFile, overrides: readonly Override[]): PlaceMap {
  const overrideAt = (path: KeyPath): Override | undefined =>
    overrides.findLast(
      (each) => each.path.length <= path.length && each.path.every((part, i) => part === path[i]),
    );
  const inFile = (path: KeyPath): boolean =>
    overrideAt(path) === undefined && valueAt(file.yaml?.value, path) !== undefined;
  return {
    inFile,
    where: ({ path, at }) => {
      const override = overrideAt(path);
      if (override) return override.origin;
      if (!file.yaml || (path.length === 0 && at === 'value')) return null;
      return `${file.shown}:${at === 'key' ? file.yaml.locateKey(path) : file.yaml.locate(path)}`;
    },
    originOf: (path) => {
      const override = overrideAt(path);
      if (override) return override.origin;
      const written = file.yaml && writtenPath(file.yaml.value, path);
      if (!file.yaml || !written) return 'default';
      return `${file.shown}:${file.yaml.locate(written).split(':')[0] ?? ''}`;
    },
  };
}

/** The path itself where something is written there; where a short form stands for a map or list, the short form's. */
function writtenPath(root: unknown, path: KeyPath): KeyPath | null {
  for (let length = 1; length <= path.length; length++) {
    const value = valueAt(root, path.slice(0, length));
    if (value === undefined) return null;
    if (typeof value !== 'object' || value === null) return path.slice(0, length);
  }
  return path;
}

function toProblems(
  kind: ConfigProblem['kind'],
  findings: readonly Finding[],
  map: PlaceMap,
): readonly ConfigProblem[] {
  const problems = findings.map(
    (finding): ConfigProblem => ({
      kind,
      where: map.where(finding),
      key: formatKey(finding.path),
      message: finding.message,
    }),
  );
  // One key is named once for each sentence, in the order of the file.
  const unique = new Map(problems.map((problem) => [`${problem.key} ${problem.message}`, problem]));
  return [...unique.values()].toSorted((a, b) => positionOf(a) - positionOf(b));
}

/** Orders by line, then column; what stands in no file comes first. */
function positionOf(problem: ConfigProblem): number {
  const [, line, column] = /:(\d+):(\d+)$/.exec(problem.where ?? '') ?? [];
  return Number(line ?? 0) * 1e6 + Number(column ?? 0);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(deepFreeze);
  }
  return value;
}
