import type { z } from '@hono/zod-openapi';
import { printable } from '../../core/printable.ts';
import type { PlaceProblem } from './problem.ts';

type Issue = z.core.$ZodIssue;

/** Names are repeated to the client up to this length. */
const nameCharsMax = 64;
/** More wrong places than this help nobody. */
const problemsMax = 50;

/** Everything wrong with a body, each by its JSON pointer (RFC 6901); names fields, never values. */
export function fieldProblems(issues: readonly Issue[]): readonly PlaceProblem[] {
  return placed(issues).map(({ path, detail }) => ({ pointer: pointerTo(path), detail }));
}

/** The same for a query string. */
export function parameterProblems(issues: readonly Issue[]): readonly PlaceProblem[] {
  return placed(issues).map(({ path, detail }) => ({ parameter: nameOf(path[0] ?? ''), detail }));
}

interface Placed {
  readonly path: readonly PropertyKey[];
  readonly detail: string;
}

function placed(issues: readonly Issue[]): readonly Placed[] {
  return issues
    .flatMap((issue): readonly Placed[] =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({ path: [...issue.path, key], detail: 'is not known here' }))
        : [{ path: issue.path, detail: sentence(issue) }],
    )
    .slice(0, problemsMax);
}

function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${nameOf(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function nameOf(part: PropertyKey): string {
  const name = printable(String(part));
  return name.length <= nameCharsMax ? name : `${name.slice(0, nameCharsMax)}…`;
}

/** What a place must be, in words of ours. */
function sentence(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined && issue.message.endsWith('undefined')
        ? 'is missing'
        : `must be ${typeNames[issue.expected] ?? 'of another type'}`;
    case 'too_small':
      return `must have at least ${issue.minimum}${unitOf(issue.origin)}`;
    case 'too_big':
      return `must have at most ${issue.maximum}${unitOf(issue.origin)}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`;
    case 'invalid_format':
      return formatNames[issue.format] ?? issue.message;
    case 'custom':
      return issue.message;
    default:
      return 'cannot be understood';
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' ? ' entries' : '';
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

const formatNames: Readonly<Record<string, string>> = {
  datetime: 'must be a time such as 2030-01-31T12:00:00Z',
};
