/** What the tests say that they show. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CallExpression, parseSync, Visitor } from 'oxc-parser';
import { authzCases, caseTitle, framingCases, ownCases } from './cases.ts';

/** One title, and the file it stands in: its path from the root of the repository. */
export interface TestTitle {
  readonly file: string;
  readonly title: string;
}

const root = join(import.meta.dirname, '../..');
const runners: ReadonlySet<string> = new Set(['describe', 'test']);

/** The title of a test or suite as far as it stands in the source; null where the call is neither. */
function titleOf({ callee, arguments: [first] }: CallExpression): string | null {
  if (callee.type !== 'Identifier' || !runners.has(callee.name)) return null;
  if (first?.type === 'Literal' && typeof first.value === 'string') return first.value;
  if (first?.type !== 'TemplateLiteral') return null;
  return first.quasis.map(({ value }) => value.cooked ?? '').join('…');
}

function titlesIn(file: string): readonly string[] {
  const titles: string[] = [];
  new Visitor({
    CallExpression(call) {
      const title = titleOf(call);
      if (title !== null) titles.push(title);
    },
  }).visit(parseSync(file, readFileSync(join(root, file), 'utf8')).program);
  return titles;
}

/** Every title of a test or suite: as written (`…` for what is filled in), and those made from our own cases. */
export function readTestTitles(): readonly TestTitle[] {
  const written = globSync('test/**/*.test.ts', { cwd: root })
    .toSorted()
    .flatMap((file) => titlesIn(file).map((title) => ({ file, title })));
  const made = [
    ...framingCases(ownCases).map((each) => ({
      file: 'test/integration/framing-cases.test.ts',
      title: caseTitle(each),
    })),
    ...authzCases(ownCases).map((each) => ({
      file: 'test/integration/authz-cases.test.ts',
      title: caseTitle(each),
    })),
  ];
  return [...written, ...made];
}
