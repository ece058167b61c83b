import { parseFieldName } from './field-names.ts';
import { valueAt, type Finding } from './issues.ts';
import { parseFolderTemplate, parsePlainPath } from './paths.ts';
import type { Parsed } from './quantities.ts';
import { isMap } from './sources.ts';

/** What is wrong between the values of each route, and between routes. Takes the data as written. */
export function checkRoutes(routes: readonly unknown[]): readonly Finding[] {
  return [
    ...checkMatches(routes),
    ...routes.flatMap((route, index) =>
      [...checkHeaders(route), ...checkAccept(route), ...checkBackends(route), ...checkFolders(route)].map(
        (finding) => ({ ...finding, path: ['routes', index, ...finding.path] }),
      ),
    ),
  ];
}

/** Two routes that match the same requests would leave the choice to chance. */
function checkMatches(routes: readonly unknown[]): readonly Finding[] {
  const first = new Map<string, number>();
  return routes.flatMap((route, index) => {
    if (!isMap(route)) return [];
    const host = valueAt(route, ['match', 'host']);
    const path = matchPath(route);
    if (path === null) return [];
    const key = `${typeof host === 'string' ? host.toLowerCase() : ''} ${path}`;
    const earlier = first.get(key);
    if (earlier === undefined) {
      first.set(key, index);
      return [];
    }
    const message = `takes the same host and path as route ${earlier + 1}; change one of them`;
    return [{ path: ['routes', index, 'match'], at: 'value' as const, message }];
  });
}

/** Decoded; null where it cannot be read, which is reported elsewhere. */
function matchPath(route: unknown): string | null {
  const written = valueAt(route, ['match', 'path']) ?? '/';
  const path = typeof written === 'string' ? parsePlainPath(written) : null;
  return path !== null && 'value' in path ? path.value : null;
}

function checkHeaders(route: unknown): readonly Finding[] {
  const headers = valueAt(route, ['identity', 'headers']);
  const names = isMap(headers) ? Object.keys(headers) : [];
  const findings: Finding[] = names.flatMap((name) => {
    const parsed = parseFieldName(name);
    if ('value' in parsed) return [];
    return [{ path: ['identity', 'headers', name], at: 'key' as const, message: parsed.wrong }];
  });
  const used = new Map<string, string>();
  const claims: (readonly [Finding['path'], unknown])[] = [
    [['identity', 'user'], valueAt(route, ['identity', 'user'])],
    [['identity', 'assertion'], valueAt(route, ['identity', 'assertion'])],
    ...names.map((name) => [['identity', 'headers', name], name] as const),
    ...acceptList(route).map(
      (each, index) => [['accept', index, 'header'], valueAt(each, ['header'])] as const,
    ),
  ];
  for (const [path, name] of claims) {
    if (typeof name !== 'string') continue;
    const earlier = used.get(name.toLowerCase());
    if (earlier !== undefined) {
      const message = `${name} is used by ${earlier} already; choose another header`;
      findings.push({ path, at: 'value', message });
    }
    used.set(name.toLowerCase(), path.join('.'));
  }
  return findings;
}

function acceptList(route: unknown): readonly unknown[] {
  const accept = valueAt(route, ['accept']);
  return Array.isArray(accept) ? accept : [];
}

function checkAccept(route: unknown): readonly Finding[] {
  const accept = acceptList(route);
  const findings: Finding[] = accept.flatMap((each, index) => {
    // Header names meet in checkHeaders, which ignores their case.
    const repeated = accept.findIndex((other) => JSON.stringify(other) === JSON.stringify(each)) < index;
    if (!repeated || valueAt(each, ['header']) !== undefined) return [];
    return [{ path: ['accept', index], at: 'value' as const, message: 'stands twice; remove one' }];
  });
  const listed = valueAt(route, ['accept']) !== undefined;
  if (valueAt(route, ['mainPassword']) === 'allow' && listed && !accept.includes('basic')) {
    const message = 'cannot be allow without basic in accept: passwords come by Basic authentication only';
    findings.push({ path: ['mainPassword'], at: 'value', message });
  }
  return findings;
}

function checkBackends(route: unknown): readonly Finding[] {
  const written = valueAt(route, ['backend']);
  const backends = Array.isArray(written) ? written : [written];
  const findings: Finding[] = backends.flatMap((each, index) => {
    const repeated = typeof each === 'string' && backends.indexOf(each) < index;
    return repeated
      ? [{ path: ['backend', index], at: 'value' as const, message: 'stands twice; remove one' }]
      : [];
  });
  const https = backends.some((each) => typeof each === 'string' && each.startsWith('https:'));
  if (valueAt(route, ['backendCa']) !== undefined && !https) {
    const message = 'means nothing here: no backend of this route starts with https://';
    findings.push({ path: ['backendCa'], at: 'value', message });
  }
  if (valueAt(route, ['backendTls']) !== undefined && !https) {
    const message = 'means nothing here: no backend of this route starts with https://';
    findings.push({ path: ['backendTls'], at: 'value', message });
  }
  if (valueAt(route, ['backendTls', 'ca']) !== undefined && valueAt(route, ['backendCa']) !== undefined) {
    const message = 'says the same as backendTls.ca; remove one of them';
    findings.push({ path: ['backendCa'], at: 'value', message });
  }
  return findings;
}

/** Folders that the route never serves would silently never match. */
function checkFolders(route: unknown): readonly Finding[] {
  const prefix = matchPath(route);
  const table = valueAt(route, ['nodes', 'table']);
  const entries = isMap(table) ? Object.entries(table) : [];
  const folders: (readonly [Finding['path'], unknown])[] = [
    [['uploads'], valueAt(route, ['uploads'])],
    [['nodes', 'template'], valueAt(route, ['nodes', 'template'])],
    ...entries.map(([node, path]) => [['nodes', 'table', node], path] as const),
  ];
  const outside = folders.flatMap(([path, folder]) => {
    const parsed = typeof folder === 'string' ? parsePathOrTemplate(folder) : { wrong: '' };
    if ('wrong' in parsed || prefix === null || parsed.value.startsWith(prefix)) return [];
    return [{ path, at: 'value' as const, message: `lies outside of this route, which serves ${prefix}` }];
  });
  const strange = entries.flatMap(([node]) => {
    if (/^[^/\p{C}]+$/u.test(node) && node !== '__proto__') return [];
    const message = 'must be one identifier without slashes, such as 6ba7b810-9dad-41d1-80b4-00c04fd430c8';
    return [{ path: ['nodes', 'table', node], at: 'key' as const, message }];
  });
  return [...outside, ...strange];
}

function parsePathOrTemplate(text: string): Parsed<string> {
  return text.endsWith('/') ? parseFolderTemplate(text, ['user', 'node']) : parsePlainPath(text);
}
