/** A source file taken apart as far as the rules of the house need. */
import { readFileSync, globSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseSync, type StaticImport, Visitor } from 'oxc-parser';

/** One export statement. */
export interface ExportStatement {
  readonly line: number;
  readonly kind: 'declaration' | 'default' | 're-export' | 'list';
  readonly documented: boolean;
}

/** One function, as far as its length goes. */
export interface FunctionLength {
  readonly line: number;
  /** Its lines, without those of the functions inside it. */
  readonly ownLines: number;
}

/** One module, its paths relative to src/. */
export interface SourceFile {
  readonly path: string;
  readonly lines: number;
  /** Modules of ours that it imports, types included. */
  readonly imports: readonly string[];
  /** npm packages and `node:` modules that it imports, types included; subpaths are cut off. */
  readonly packages: readonly string[];
  /** Imported for what they do when loaded, not for a name. */
  readonly sideEffects: readonly string[];
  readonly exports: readonly ExportStatement[];
  readonly functions: readonly FunctionLength[];
  readonly readsEnvironment: boolean;
}

/**
 * Takes one TypeScript module apart.
 * @throws Error where it cannot be parsed
 */
export function parseSource(path: string, text: string): SourceFile {
  const { program, module, comments, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors.map((error) => error.message).join('; ')}`);
  const statics = module.staticImports.map((found) => found.moduleRequest.value);
  const dynamics = module.dynamicImports.map(({ moduleRequest }) =>
    text.slice(moduleRequest.start, moduleRequest.end).replace(/^['"`]|['"`]$/g, ''),
  );
  const reExports = module.staticExports.flatMap((found) =>
    found.entries.flatMap(({ moduleRequest }) => (moduleRequest === null ? [] : [moduleRequest.value])),
  );
  const specifiers = [...new Set([...statics, ...dynamics, ...reExports])];
  const docEnds = comments.filter((c) => c.type === 'Block' && c.value.startsWith('*')).map((c) => c.end);
  const isDocumented = (start: number): boolean =>
    docEnds.some((end) => end <= start && text.slice(end, start).trim() === '');
  return {
    path,
    lines: text.split('\n').length - (text.endsWith('\n') ? 1 : 0),
    imports: specifiers
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => posix.join(posix.dirname(path), specifier)),
    packages: specifiers.filter((specifier) => !specifier.startsWith('.')).map(packageName),
    sideEffects: module.staticImports
      .filter((found) => found.entries.length === 0)
      .map((found) => found.moduleRequest.value),
    exports: program.body.flatMap((statement) => {
      const kind = exportKind(statement);
      if (kind === null) return [];
      const line = text.slice(0, statement.start).split('\n').length;
      return [{ line, kind, documented: isDocumented(statement.start) }];
    }),
    functions: functionLengths(program, text),
    readsEnvironment: readsEnvironment(program) || module.staticImports.some(importsEnvironment),
  };
}

/** All modules below a folder, their paths relative to it. */
export function readSources(folder: string): readonly SourceFile[] {
  return globSync('**/*.ts', { cwd: folder })
    .toSorted()
    .map((path) => parseSource(path, readFileSync(join(folder, path), 'utf8')));
}

type Program = ReturnType<typeof parseSync>['program'];

function exportKind(statement: Program['body'][number]): ExportStatement['kind'] | null {
  if (statement.type === 'ExportDefaultDeclaration') return 'default';
  if (statement.type === 'ExportAllDeclaration') return 're-export';
  if (statement.type !== 'ExportNamedDeclaration') return null;
  if (statement.source !== null) return 're-export';
  return statement.declaration === null ? 'list' : 'declaration';
}

function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function importsEnvironment({ moduleRequest, entries }: StaticImport): boolean {
  return (
    /^(node:)?process$/.test(moduleRequest.value) && entries.some((entry) => entry.importName.name === 'env')
  );
}

function readsEnvironment(program: Program): boolean {
  let found = false;
  new Visitor({
    MemberExpression({ object, property }) {
      found ||=
        object.type === 'Identifier' &&
        object.name === 'process' &&
        'name' in property &&
        property.name === 'env';
    },
  }).visit(program);
  return found;
}

function functionLengths(program: Program, text: string): readonly FunctionLength[] {
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;
  const spans: { readonly first: number; readonly last: number }[] = [];
  const note = ({ start, end }: { start: number; end: number }): void => {
    spans.push({ first: lineOf(start), last: lineOf(end) });
  };
  new Visitor({ FunctionDeclaration: note, FunctionExpression: note, ArrowFunctionExpression: note }).visit(
    program,
  );
  return spans.map((span) => {
    const own = new Set<number>();
    for (let line = span.first; line <= span.last; line += 1) own.add(line);
    for (const inner of spans) {
      if (inner === span || inner.first < span.first || inner.last > span.last) continue;
      // The line that opens a function inside belongs to both.
      for (let line = inner.first + 1; line <= inner.last; line += 1) own.delete(line);
    }
    return { line: span.first, ownLines: own.size };
  });
}
