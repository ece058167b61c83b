import type { RouteConfig } from '../../src/config/config.ts';

/** A route as the configuration leaves it: one WebDAV route at `/`, unless `change` says otherwise. */
export function routeConfig(change: Partial<RouteConfig> = {}): RouteConfig {
  return {
    name: 'files',
    match: { host: null, path: '/' },
    backend: ['http://127.0.0.1:9'],
    kind: 'webdav',
    accept: ['basic', 'bearer'],
    mainPassword: 'refuse',
    identity: { user: 'X-Remote-User', assertion: null, headers: {} },
    backendAuth: { kind: 'none' },
    host: 'preserve',
    backendOrigin: null,
    spool: false,
    uploads: null,
    nodes: null,
    backendCa: null,
    backendTls: null,
    ...change,
  };
}
