import { resolve } from 'node:path';
import { nearestName } from './nearest-name.ts';
import type { ConfigProblem, KeyPath } from './problem.ts';
import { formatKey } from './problem.ts';
import { readSetting, settings, type Setting } from './settings.ts';

/** A value given on the command line for one key. */
export interface FlagValue {
  /** As the user typed it, such as `--backend`. */
  readonly flag: string;
  readonly path: readonly string[];
  /** The text as given; a number or list is read from it. */
  readonly value: string | readonly string[];
}

/** Reads a whole text file; throws what node:fs throws. */
export type ReadFile = (path: string) => string;

/** A value that stands above the file, and where it came from. */
export interface Override {
  readonly path: readonly string[];
  readonly value: unknown;
  /** `--backend`, `LATCHKEY_STORE` or `LATCHKEY_STORE_FILE (/run/store)`. */
  readonly origin: string;
}

/** Everything that flags and environment say, flags last so that they win, and what is wrong with it. */
export function readOverrides(
  flags: readonly FlagValue[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  readFile: ReadFile,
): { readonly overrides: readonly Override[]; readonly problems: readonly ConfigProblem[] } {
  const overrides: Override[] = [];
  const problems: ConfigProblem[] = [...misspelt(env)];
  for (const setting of settings) {
    const found = fromEnvironment(setting, env, cwd, readFile);
    if (found === null) continue;
    if ('message' in found) problems.push(found);
    else overrides.push(found);
  }
  for (const flag of flags) overrides.push({ path: flag.path, value: flagValue(flag), origin: flag.flag });
  return { overrides, problems };
}

function flagValue(flag: FlagValue): unknown {
  const setting = settings.find((each) => formatKey(each.path) === formatKey(flag.path));
  return setting && typeof flag.value === 'string' ? readSetting(setting, flag.value) : flag.value;
}

function fromEnvironment(
  setting: Setting,
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
  readFile: ReadFile,
): Override | ConfigProblem | null {
  const name = setting.envName;
  // An empty variable is how compose files and unit files leave one out.
  const direct = isKubernetesLink(name, env[name]) ? null : env[name] || null;
  const file = env[`${name}_FILE`] || null;
  const complaint = (kind: ConfigProblem['kind'], message: string): ConfigProblem => ({
    kind,
    where: `${name}_FILE`,
    key: formatKey(setting.path),
    message,
  });
  if (direct !== null && file !== null) {
    return complaint('config', `is set together with ${name}; unset one of them`);
  }
  if (setting.type === 'secret') return secretOverride(setting, direct, file, cwd);
  if (direct !== null) return { path: setting.path, value: readSetting(setting, direct), origin: name };
  if (file === null) return null;
  try {
    const text = readFile(resolve(cwd, file)).replace(/\r?\n$/, '');
    return { path: setting.path, value: readSetting(setting, text), origin: `${name}_FILE` };
  } catch (error) {
    return complaint('environment', `names ${resolve(cwd, file)}, which ${reasonOf(error)}`);
  }
}

/** Secrets stay references, so that one place reads them all. */
function secretOverride(
  setting: Setting,
  direct: string | null,
  file: string | null,
  cwd: string,
): Override | null {
  if (direct !== null) {
    return { path: setting.path, value: { fromEnv: setting.envName }, origin: setting.envName };
  }
  if (file === null) return null;
  return { path: setting.path, value: { fromFile: resolve(cwd, file) }, origin: `${setting.envName}_FILE` };
}

/**
 * Variables that were probably meant for us. Others with our prefix are left alone: Kubernetes makes
 * LATCHKEY_PORT and LATCHKEY_SERVICE_HOST for a service of our name, and secrets may have any name.
 */
function misspelt(env: Readonly<Record<string, string | undefined>>): readonly ConfigProblem[] {
  const known = ['LATCHKEY_CONFIG', ...settings.flatMap(({ envName }) => [envName, `${envName}_FILE`])];
  return Object.keys(env).flatMap((name) => {
    if (!name.startsWith('LATCHKEY_') || known.includes(name) || isKubernetesLink(name, env[name])) return [];
    const meant = nearestName(name, known, 2);
    if (meant === null) return [];
    const problem: ConfigProblem = {
      kind: 'config',
      where: name,
      key: '',
      message: `is no setting; did you mean ${meant}?`,
    };
    return [problem];
  });
}

/** A service `latchkey-admin` gives every pod LATCHKEY_ADMIN_PORT=tcp://10.0.0.1:8081, and more of the kind. */
function isKubernetesLink(name: string, value: string | undefined): boolean {
  if (/_PORT$/.test(name)) return /^(tcp|udp|sctp):\/\//.test(value ?? '');
  return /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/.test(name);
}

/** Lays the overrides over what the file says. A place that is no map stays as it is: the file's own problem. */
export function overlay(fileValue: unknown, overrides: readonly Override[]): unknown {
  return overrides.reduce<unknown>((value, each) => withValue(value, each.path, each.value), fileValue);
}

function withValue(value: unknown, path: KeyPath, replacement: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return replacement;
  if (value !== undefined && !isMap(value)) return value;
  return { ...value, [key]: withValue(value?.[key], rest, replacement) };
}

/** True for a plain map, as YAML makes them. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Why a file could not be read, as the end of a sentence. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'EACCES') return 'may not be read by this user';
  if (code === 'EISDIR') return 'is a folder';
  return `could not be read (${code})`;
}
