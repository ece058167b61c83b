import type { z } from 'zod';
import { configJsonSchema, knownKeys } from './json-schema.ts';
import { nearestName } from './nearest-name.ts';
import type { KeyPath } from './problem.ts';
import { isMap } from './sources.ts';

/** What is wrong at one key, and whether the key itself is the trouble. */
export interface Finding {
  readonly path: KeyPath;
  readonly at: 'key' | 'value';
  readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** Turns what the schema complains about into sentences for people. Repeats no value but key names and choices. */
export function describeIssues(issues: readonly Issue[], root: unknown): readonly Finding[] {
  return issues.flatMap((issue) => describe(issue, [], root));
}

function describe(issue: Issue, prefix: KeyPath, root: unknown): readonly Finding[] {
  const path: KeyPath = [
    ...prefix,
    ...issue.path.map((part) => (typeof part === 'number' ? part : String(part))),
  ];
  const written = valueAt(root, path);
  if (issue.code === 'unrecognized_keys') return unknownKeys(path, issue.keys);
  if (written === undefined && path.length > 0) return [{ path, at: 'value', message: 'is missing' }];
  if (written === null) {
    return [{ path, at: 'value', message: 'is empty; give it a value, or remove the line' }];
  }
  if (issue.code === 'invalid_union') return describeUnion(issue, path, root);
  return [{ path, at: 'value', message: sentence(issue) }];
}

/** Where one alternative was clearly meant, its own problems say more than "none of them fits". */
function describeUnion(
  issue: z.core.$ZodIssueInvalidUnion,
  path: KeyPath,
  root: unknown,
): readonly Finding[] {
  const fitting = issue.errors.filter(
    (issues) => !issues.some((each) => each.path.length === 0 && isKindIssue(each)),
  );
  const meant = fitting.filter(
    (issues) => !issues.some((each) => each.path.length === 0 && each.code === 'unrecognized_keys'),
  );
  const [only, ...others] = meant.length > 0 ? meant : fitting;
  if (only && others.length === 0) return only.flatMap((each) => describe(each, path, root));
  const written = valueAt(root, path);
  const strange = isMap(written)
    ? Object.keys(written).filter((key) => !knownKeys(configJsonSchema, path).includes(key))
    : [];
  if (strange.length > 0) return unknownKeys(path, strange);
  return [{ path, at: 'value', message: sentence(issue) }];
}

function isKindIssue(issue: Issue): boolean {
  return issue.code === 'invalid_type' || issue.code === 'invalid_value' || issue.code === 'invalid_union';
}

function unknownKeys(path: KeyPath, keys: readonly string[]): readonly Finding[] {
  const known = knownKeys(configJsonSchema, path);
  return keys.map((key) => {
    const meant = nearestName(key, known);
    const advice = meant === null ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
    return { path: [...path, key], at: 'key', message: `is not known; ${advice}` };
  });
}

function sentence(issue: Issue): string {
  if (issue.code === 'invalid_value')
    return `must be ${issue.values
      .map(String)
      .join(', ')
      .replace(/, ([^,]*)$/, ' or $1')}`;
  if (issue.code === 'invalid_type' && !issue.message.startsWith('must')) {
    return `must be ${typeNames[issue.expected] ?? issue.expected}`;
  }
  return issue.message;
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'a map of keys and values',
  record: 'a map of keys and values',
  array: 'a list',
  string: 'text (put it in quotes if it looks like a number)',
  boolean: 'true or false',
};

/** The value at a path, or undefined. */
export function valueAt(root: unknown, path: KeyPath): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}
