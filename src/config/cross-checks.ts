import { checkDoors } from './doors-checks.ts';
import { valueAt, type Finding } from './issues.ts';
import type { KeyPath } from './problem.ts';
import { checkListen } from './listen-checks.ts';
import { checkRoutes } from './route-checks.ts';
import { checkWays } from './sign-in-checks.ts';
import { isMap } from './sources.ts';
import { checkStore } from './store-checks.ts';
import { checkWarnings } from './warnings-checks.ts';

/**
 * What is wrong between values that are right by themselves. Works on the data as written, so that it
 * can report beside the schema's own findings; what has the wrong shape is left to those.
 */
export function crossCheck(
  root: unknown,
  options: { readonly routesRequired: boolean; readonly inFile: (path: KeyPath) => boolean },
): readonly Finding[] {
  return [
    ...checkBackendOrRoutes(root, options.routesRequired),
    ...checkUnique(listAt(root, ['routes']), ['routes'], 'name', 'route'),
    ...checkRoutes(listAt(root, ['routes'])),
    ...checkStore(root, options.inFile),
    ...checkRedis(root, options.inFile),
    ...checkUnique(listAt(root, ['peppers']), ['peppers'], 'id', 'pepper'),
    ...checkUnique(listAt(root, ['signIn', 'ways']), ['signIn', 'ways'], 'name', 'way'),
    ...checkWays(listAt(root, ['signIn', 'ways'])),
    ...checkWarnings(root),
    ...checkConnections(root),
    ...checkListen(root),
    ...checkListeners(root),
    ...checkDoors(root),
    ...checkLoops(root),
  ];
}

function checkBackendOrRoutes(root: unknown, required: boolean): readonly Finding[] {
  const backend = valueAt(root, ['backend']) !== undefined;
  const routes = valueAt(root, ['routes']) !== undefined;
  if (backend && routes) {
    const message =
      'cannot stand together with routes: it is short for a single route; name the backend in a route instead';
    return [{ path: ['backend'], at: 'value', message }];
  }
  if (backend || routes || !required) return [];
  const message =
    'no backend is known: start with --backend http://HOST:PORT, set LATCHKEY_BACKEND, or write routes into the file';
  return [{ path: [], at: 'value', message }];
}

function checkRedis(root: unknown, inFile: (path: KeyPath) => boolean): readonly Finding[] {
  const redis = valueAt(root, ['redis']);
  if (typeof redis === 'string' && inFile(['redis']) && /^rediss?:\/\/[^/]*@/.test(redis)) {
    const message =
      'must not hold a password: write redis as a map with nodes and password: {fromFile: PATH}, or set LATCHKEY_REDIS';
    return [{ path: ['redis'], at: 'value', message }];
  }
  if (!isMap(redis)) return [];
  const findings: Finding[] = [];
  const mode = redis['mode'] ?? 'standalone';
  const nodes = Array.isArray(redis['nodes']) ? redis['nodes'].length : 0;
  if (mode === 'standalone' && nodes > 1) {
    const message = 'must hold one server in standalone mode; set mode to sentinel or cluster for several';
    findings.push({ path: ['redis', 'nodes'], at: 'value', message });
  }
  if (mode === 'sentinel' && redis['sentinelName'] === undefined) {
    const message = 'is missing: sentinels must be told which master to look for';
    findings.push({ path: ['redis', 'sentinelName'], at: 'value', message });
  }
  for (const key of ['sentinelName', 'sentinelUsername', 'sentinelPassword']) {
    if (mode === 'sentinel' || redis[key] === undefined) continue;
    const message = 'means nothing unless mode is sentinel';
    findings.push({ path: ['redis', key], at: 'value', message });
  }
  if (redis['sentinelUsername'] !== undefined && redis['sentinelPassword'] === undefined) {
    const message = 'means nothing without sentinelPassword';
    findings.push({ path: ['redis', 'sentinelUsername'], at: 'value', message });
  }
  if (mode === 'cluster' && (redis['database'] ?? 0) !== 0) {
    findings.push({ path: ['redis', 'database'], at: 'value', message: 'must be 0: a cluster has no other' });
  }
  return findings;
}

/** Only where both are written: the defaults leave one client all of few connections, which is no contradiction. */
function checkConnections(root: unknown): readonly Finding[] {
  const all = valueAt(root, ['limits', 'connections']);
  const each = valueAt(root, ['limits', 'connectionsPerClient']);
  if (typeof all !== 'number' || typeof each !== 'number' || each <= all) return [];
  const message = `is more than limits.connections (${all}), so it limits nobody; lower it, or raise that`;
  return [{ path: ['limits', 'connectionsPerClient'], at: 'value', message }];
}

function checkListeners(root: unknown): readonly Finding[] {
  const port = valueAt(root, ['listen', 'port']) ?? 8080;
  const adminPort = valueAt(root, ['admin', 'port']) ?? 8081;
  if (valueAt(root, ['listen', 'socket']) !== undefined) return [];
  if (typeof port !== 'number' || port === 0 || port !== adminPort) return [];
  const hosts = [valueAt(root, ['listen', 'host']) ?? '::', valueAt(root, ['admin', 'host']) ?? '127.0.0.1'];
  const everywhere = hosts.includes('::') || hosts.includes('0.0.0.0');
  if (hosts[0] !== hosts[1] && !everywhere) return [];
  const message = `is ${port}, which is the port for clients too; choose another`;
  return [{ path: ['admin', 'port'], at: 'value', message }];
}

/** A backend that is the gateway itself: easily written, because both like port 8080. */
function checkLoops(root: unknown): readonly Finding[] {
  const port = valueAt(root, ['listen', 'port']) ?? 8080;
  const host = valueAt(root, ['listen', 'host']) ?? '::';
  const socket = valueAt(root, ['listen', 'socket']);
  if (typeof port !== 'number' || typeof host !== 'string') return [];
  const isOwn = (backend: unknown): boolean => {
    if (socket === undefined) return isListener(backend, host, port);
    return typeof socket === 'string' && backend === `unix:${socket}`;
  };
  const places: readonly KeyPath[] = [
    ['backend'],
    ...listAt(root, ['routes']).map((_route, index) => ['routes', index, 'backend']),
  ];
  return places
    .flatMap((place): readonly KeyPath[] => {
      const count = listAt(root, place).length;
      return count === 0 ? [place] : Array.from({ length: count }, (_, index) => [...place, index]);
    })
    .filter((path) => isOwn(valueAt(root, path)))
    .map((path) => {
      if (socket !== undefined) {
        const message = 'is the socket on which the gateway itself listens; choose another for listen.socket';
        return { path, at: 'value', message };
      }
      const advice = 'choose another port with listen.port or --port';
      return { path, at: 'value', message: `is where the gateway itself listens (port ${port}); ${advice}` };
    });
}

function isListener(backend: unknown, host: string, port: number): boolean {
  const url = typeof backend === 'string' ? URL.parse(backend) : null;
  if (url === null) return false;
  const implied = url.protocol === 'https:' ? 443 : 80;
  if (Number(url.port === '' ? implied : url.port) !== port) return false;
  const name = url.hostname.replaceAll(/^\[|\]$/g, '');
  const loopback = name === 'localhost' || name === '::1' || /^127(\.\d+){3}$/.test(name);
  return name === host || (loopback && (host === '::' || host === '0.0.0.0'));
}

/** Refuses the second entry of a list whose `field` has been used by an earlier one. */
export function checkUnique(
  list: readonly unknown[],
  path: KeyPath,
  field: string,
  what: string,
): readonly Finding[] {
  const first = new Map<string, number>();
  return list.flatMap((entry, index) => {
    const value = valueAt(entry, [field]);
    if (typeof value !== 'string') return [];
    const earlier = first.get(value);
    if (earlier === undefined) {
      first.set(value, index);
      return [];
    }
    const message = `is the ${field} of ${what} ${earlier + 1} already; every ${what} needs its own`;
    return [{ path: [...path, index, field], at: 'value' as const, message }];
  });
}

/** The list at a path, or an empty one. */
export function listAt(root: unknown, path: KeyPath): readonly unknown[] {
  const value = valueAt(root, path);
  return Array.isArray(value) ? value : [];
}
