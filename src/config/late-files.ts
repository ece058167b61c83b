import type { LoadedConfig } from './load.ts';
import { type ConfigProblem, formatKey } from './problem.ts';
import { type ReadFile, reasonOf } from './sources.ts';

/**
 * What is wrong with files that a gateway reads only when somebody signs in, and starts without: one of them that is away is
 * no reason to refuse every token.
 */
export function checkLateFiles(
  { config, originOf }: Pick<LoadedConfig, 'config' | 'originOf'>,
  readFile: ReadFile,
): readonly ConfigProblem[] {
  return config.signIn.ways.flatMap((way, index): readonly ConfigProblem[] => {
    if (way.kind !== 'htpasswd') return [];
    try {
      readFile(way.file);
      return [];
    } catch (error) {
      const path = ['signIn', 'ways', index, 'file'];
      const message = `the file ${way.file} ${reasonOf(error)}; until it can be read, nobody signs in by it`;
      return [{ kind: 'environment', where: originOf(path), key: formatKey(path), message }];
    }
  });
}
