/** The rules of ARCHITECTURE.md as functions from sources to violations: none means kept. */
import { posix } from 'node:path';
import type { SourceFile } from './source-file.ts';

/** Names the place and the rule broken. */
export type Violation = string;

/** Rank by folder, or by file directly in src/. */
const ranks: Readonly<Record<string, number>> = {
  'main.ts': 8,
  cli: 7,
  compose: 6,
  server: 5,
  storage: 5,
  delivery: 5,
  web: 4,
  doors: 4,
  oauth: 4,
  gateway: 3,
  management: 3,
  contents: 3,
  tokens: 2,
  identity: 2,
  config: 1,
  telemetry: 1,
  core: 0,
};

/** Which part of src/ may import a package: each has one owner. */
const owners: Readonly<Record<string, readonly string[]>> = {
  '@grpc/grpc-js': ['doors/'],
  '@grpc/proto-loader': ['doors/'],
  '@hono/node-server': ['web/'],
  '@hono/zod-openapi': ['web/api/'],
  '@opentelemetry/api': ['telemetry/'],
  argon2: ['identity/'],
  bcryptjs: ['identity/'],
  commander: ['cli/', 'main.ts'],
  hono: ['web/'],
  'http-proxy': ['gateway/'],
  ioredis: ['storage/redis/'],
  jose: ['gateway/'],
  ldapts: ['identity/'],
  'lru-cache': ['tokens/'],
  nodemailer: ['delivery/'],
  'node:sqlite': ['storage/sqlite/'],
  'openid-client': ['identity/'],
  pg: ['storage/postgres/'],
  pino: ['telemetry/'],
  'prom-client': ['telemetry/'],
  'rate-limiter-flexible': ['storage/redis/'],
  saxes: ['gateway/'],
  undici: ['gateway/'],
  yaml: ['config/'],
  zod: ['config/'],
};

/** The environment is read where the command line gathers its streams, and by the configuration. */
const environmentReaders: readonly string[] = ['config/', 'cli/process-io.ts'];

const vagueNames =
  /^(utils?|helpers?|common|manager|misc|services?|shared|lib|index)$|-(utils?|helpers?|manager)$/;
const linesMax = 400;
const functionLinesMax = 70;

/** A file imports only from lower ranks or from its own folder, and every folder has a rank. */
export function rankViolations(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap(({ path, imports }) => {
    const rank = ranks[unit(path)];
    if (rank === undefined) return [`src/${path}: its folder has no rank`];
    return imports.flatMap((target) => {
      const targetRank = ranks[unit(target)];
      if (targetRank === undefined) return [`src/${path}: imports ${target}, whose folder has no rank`];
      if (targetRank < rank || isOwnFolder(path, target)) return [];
      return [`src/${path} (rank ${rank}): imports src/${target} (rank ${targetRank})`];
    });
  });
}

/** No file imports itself through others, types included. */
export function cycleViolations(files: readonly SourceFile[]): readonly Violation[] {
  const importsOf = new Map(files.map(({ path, imports }) => [path, imports]));
  const finished = new Set<string>();
  const violations: Violation[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const seenAt = trail.indexOf(path);
    if (seenAt >= 0) violations.push(`cycle: ${[...trail.slice(seenAt), path].join(' → ')}`);
    if (seenAt >= 0 || finished.has(path)) return;
    for (const target of importsOf.get(path) ?? []) walk(target, [...trail, path]);
    finished.add(path);
  };
  for (const { path } of files) walk(path, []);
  return violations;
}

/** Every npm package, and `node:sqlite`, is imported in the one place that owns it. */
export function ownerViolations(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap(({ path, packages }) =>
    packages.flatMap((name) => {
      const allowed = owners[name];
      if (allowed === undefined) return name.startsWith('node:') ? [] : [`src/${path}: ${name} has no owner`];
      return isWithin(path, allowed)
        ? []
        : [`src/${path}: imports ${name}, which ${allowed.join(', ')} owns`];
    }),
  );
}

/** The environment is read by `environmentReaders` alone. */
export function environmentViolations(files: readonly SourceFile[]): readonly Violation[] {
  return files
    .filter(({ path, readsEnvironment }) => readsEnvironment && !isWithin(path, environmentReaders))
    .map(({ path }) => `src/${path}: reads process.env`);
}

/** Every export says what it guarantees, where it is declared: no default exports, no barrels. */
export function exportViolations(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap(({ path, exports }) =>
    exports.flatMap(({ line, kind, documented }) => {
      const place = `src/${path}:${line}`;
      if (kind !== 'declaration') return [`${place}: ${kind} export`];
      return documented ? [] : [`${place}: export without a docstring`];
    }),
  );
}

/** Loading a module does nothing that another module relies on. */
export function sideEffectViolations(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap(({ path, sideEffects }) =>
    sideEffects.map((target) => `src/${path}: imports ${target} for its side effects`),
  );
}

/** No file outgrows what a reader can hold. */
export function sizeViolations(files: readonly SourceFile[]): readonly Violation[] {
  return files
    .filter(({ lines }) => lines > linesMax)
    .map(({ path, lines }) => `${path}: ${lines} lines, more than ${linesMax}`);
}

/** No function outgrows a screen, counted without the functions inside it. */
export function functionSizeViolations(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap(({ path, functions }) =>
    functions
      .filter(({ ownLines }) => ownLines > functionLinesMax)
      .map(
        ({ line, ownLines }) =>
          `${path}:${line}: a function of ${ownLines} lines, more than ${functionLinesMax}`,
      ),
  );
}

/** Folders and files are named for their one job, in kebab-case. */
export function nameViolations(files: readonly SourceFile[]): readonly Violation[] {
  return files.flatMap(({ path }) => {
    const segments = path.replace(/\.ts$/, '').split('/');
    const bad = segments.filter((name) => vagueNames.test(name) || !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name));
    return bad.map((name) => `src/${path}: "${name}" says nothing, or is not kebab-case`);
  });
}

function unit(path: string): string {
  return path.split('/')[0] ?? path;
}

// Implementations of the same interfaces are peers: storage/sqlite/ knows nothing of storage/redis/.
function isOwnFolder(path: string, target: string): boolean {
  if (!path.includes('/') || unit(path) !== unit(target)) return false;
  const [from, to] = [posix.dirname(path), posix.dirname(target)];
  return from === to || from.startsWith(`${to}/`) || to.startsWith(`${from}/`);
}

function isWithin(path: string, places: readonly string[]): boolean {
  return places.some((place) => (place.endsWith('/') ? path.startsWith(place) : path === place));
}
