import { printable } from '../core/printable.ts';

/** One thing wrong with what the product was told. Never holds the value of a secret. */
export interface ConfigProblem {
  /**
   * 'config': what was written is wrong, exit code 2. 'environment': what it points at is missing or
   * unreadable, exit code 1.
   */
  readonly kind: 'config' | 'environment';
  /** Where to look: `latchkey.yaml:3:9`, `LATCHKEY_LISTEN_PORT`, `--backend`. Null: nowhere yet. */
  readonly where: string | null;
  /** The key path as in the file, such as `routes[0].backend`; '' for the whole. */
  readonly key: string;
  /** What is wrong, and what to do about it. */
  readonly message: string;
}

/** A place in the configuration: object keys and list indexes. */
export type KeyPath = readonly (string | number)[];

/** `routes[0].match.path`; a key that is no plain word is quoted. */
export function formatKey(path: KeyPath): string {
  let text = '';
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`;
    else if (!/^[A-Za-z_$][\w-]*$/.test(part)) text += `[${JSON.stringify(part)}]`;
    else text += text === '' ? part : `.${part}`;
  }
  return text;
}

/** One line for people: place, key, sentence. */
export function formatProblem(problem: ConfigProblem): string {
  return [problem.where, problem.key === '' ? null : problem.key, problem.message]
    .filter((part) => part !== null)
    .map(printable)
    .join(': ');
}
