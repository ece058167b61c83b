import {
  loadConfig,
  type ConfigResult,
  type ConfigSources,
  type LoadedConfig,
} from '../../../src/config/load.ts';
import { formatProblem } from '../../../src/config/problem.ts';

/** What a test says; the rest is empty. */
interface Written {
  /** Text of /etc/latchkey/latchkey.yaml, which is then named by --config. */
  readonly yaml?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly flags?: ConfigSources['flags'];
  readonly env?: ConfigSources['env'];
  readonly configFlag?: string | null;
  readonly routesRequired?: boolean;
}

/** Loads a configuration without touching the disk. */
export function load(written: Written): ConfigResult {
  const yaml = written.yaml;
  const files: Record<string, string> = {
    ...written.files,
    ...(yaml === undefined ? {} : { '/etc/latchkey/latchkey.yaml': yaml }),
  };
  return loadConfig({
    flags: written.flags ?? [],
    configFlag: written.configFlag ?? (yaml === undefined ? null : '/etc/latchkey/latchkey.yaml'),
    env: written.env ?? {},
    cwd: '/srv/latchkey',
    routesRequired: written.routesRequired ?? true,
    readFile: (path) => {
      const text = files[path];
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return text;
    },
  });
}

/** Loads what has to be right. */
export function loaded(written: Written): LoadedConfig {
  const result = load(written);
  if (result.kind === 'loaded') return result;
  throw new Error(result.problems.map(formatProblem).join('\n'));
}

/** The problems of what has to be wrong, one line each, the file called latchkey.yaml. */
export function problems(written: Written): readonly string[] {
  const result = load(written);
  if (result.kind === 'loaded') throw new Error('the configuration was taken as right');
  return result.problems.map((problem) => formatProblem(problem).replace('/etc/latchkey/', ''));
}

/** A file with one route, and more lines in that route. */
export function oneRoute(...lines: readonly string[]): string {
  return [
    'routes:',
    '  - name: files',
    '    backend: http://127.0.0.1:8008',
    ...lines.map((line) => `    ${line}`),
  ].join('\n');
}
