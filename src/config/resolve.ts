import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { BackendAuth, Config, RedisConfig, RouteConfig } from './config.ts';
import type { Finding } from './issues.ts';
import { backendConnectionsByOpenFiles, connectionsByOpenFiles } from './open-files.ts';
import { type ListenSources, readPair, resolveListen } from './listen-resolve.ts';
import type { KeyPath } from './problem.ts';
import type { Parsed } from './quantities.ts';
import type { WrittenRoute } from './route-schema.ts';
import type { WrittenConfig, WrittenRedis } from './schema.ts';
import type { SecretReference } from './schema-parts.ts';
import {
  checkAssertionKey,
  checkCertificates,
  checkPassword,
  checkPepper,
  type ReadSecret,
} from './secrets.ts';
import { resolveSignIn } from './sign-in-resolve.ts';
import { resolveStore } from './store-resolve.ts';
import { resolveWarnings } from './warnings-resolve.ts';

/** A finding about something outside of the configuration: a file or variable it names. */
export type ResolveResult = {
  readonly config: Config;
  /** What could not be read, and is an empty text in `config`: nothing may be done with that. */
  readonly findings: readonly Finding[];
};

/** Reads the secrets, makes paths absolute (`folderOf` says against what) and fills in what depends on other values. */
export function resolveConfig(
  written: WrittenConfig,
  readSecret: ReadSecret,
  folderOf: (key: 'listen' | 'dataDir' | 'store' | 'signIn') => string,
): ResolveResult {
  const secrets = secretDesk(readSecret);
  const dataDir = resolve(folderOf('dataDir'), written.dataDir);
  const config: Config = {
    workers: written.workers,
    listen: resolveListen(written.listen, folderOf('listen'), secrets),
    admin: written.admin,
    doors: written.doors,
    dataDir,
    store:
      written.store === null
        ? { kind: 'sqlite', path: join(dataDir, 'latchkey.db') }
        : resolveStore(written.store, secrets.read, (file) => resolve(folderOf('store'), file)),
    redis: redisConfig(written.redis, secrets.read),
    peppers:
      written.peppers?.map(({ id, secret }, index) => ({
        id,
        secret: secrets.read(secret, ['peppers', index, 'secret'], checkPepper),
      })) ?? null,
    assertionKey:
      written.assertionKey && secrets.read(written.assertionKey, ['assertionKey'], checkAssertionKey),
    trustedProxies: written.trustedProxies,
    routes: routesOf(written).map((route, index) => routeConfig(route, ['routes', index], secrets)),
    limits: {
      ...written.limits,
      passwordConcurrency: written.limits.passwordConcurrency ?? availableParallelism(),
      connections: written.limits.connections ?? connectionsByOpenFiles() * written.workers,
      backendConnections:
        written.limits.backendConnections ?? backendConnectionsByOpenFiles() * written.workers,
    },
    portal: written.portal,
    signIn: resolveSignIn(written.signIn, secrets.read, folderOf('signIn')),
    warnings: resolveWarnings(written.warnings, secrets.read),
    audit: written.audit,
    tracing: written.tracing,
    log: written.log,
  };
  return { config, findings: secrets.findings };
}

type Read = (reference: SecretReference, path: KeyPath, check: (secret: string) => Parsed<string>) => string;

/** Reads on after a failure, so that all of them are reported at once. */
function secretDesk(readSecret: ReadSecret): {
  readonly read: Read;
  readonly fileOf: ReadSecret['fileOf'];
  readonly complain: (finding: Finding) => void;
  readonly findings: readonly Finding[];
} {
  const findings: Finding[] = [];
  const read: Read = (reference, path, check) => {
    const found = readSecret(reference);
    const checked = 'value' in found ? check(found.value) : found;
    if ('value' in checked) return checked.value;
    findings.push({ path, at: 'value', message: checked.wrong });
    return '';
  };
  const complain = (finding: Finding): void => void findings.push(finding);
  return { read, fileOf: readSecret.fileOf, complain, findings };
}

function routesOf(written: WrittenConfig): readonly WrittenRoute[] {
  if (written.routes) return written.routes;
  if (!written.backend) return [];
  return [
    {
      name: 'default',
      match: { host: null, path: '/' },
      backend: written.backend,
      kind: 'webdav',
      accept: ['basic', 'bearer'],
      mainPassword: 'refuse',
      identity: { user: 'X-Remote-User', assertion: null, headers: {} },
      backendAuth: 'none',
      host: 'preserve',
      backendOrigin: null,
      spool: false,
      uploads: null,
      nodes: null,
      backendCa: null,
      backendTls: null,
    },
  ];
}

function routeConfig(route: WrittenRoute, path: KeyPath, sources: ListenSources): RouteConfig {
  const { read } = sources;
  const tls = route.backendTls;
  const [ca, caPath] = tls?.ca ? [tls.ca, ['backendTls', 'ca']] : [route.backendCa, ['backendCa']];
  return {
    ...route,
    backendAuth: backendAuth(route.backendAuth, [...path, 'backendAuth'], read),
    backendCa: ca && read(ca, [...path, ...caPath], checkCertificates),
    backendTls: tls && readPair(tls, [...path, 'backendTls'], sources),
  };
}

function backendAuth(written: WrittenRoute['backendAuth'], path: KeyPath, read: Read): BackendAuth {
  if (written === 'none') return { kind: 'none' };
  if ('sharedSecret' in written) {
    return {
      kind: 'sharedSecret',
      secret: read(written.sharedSecret, [...path, 'sharedSecret'], checkPassword),
    };
  }
  const { user, password } = written.serviceAccount;
  const secret = read(password, [...path, 'serviceAccount', 'password'], checkPassword);
  return { kind: 'serviceAccount', user, password: secret };
}

function redisConfig(written: WrittenConfig['redis'], read: Read): RedisConfig | null {
  if (written === null) return null;
  if ('node' in written) {
    const { node, username, password, database, tls } = written;
    return {
      mode: 'standalone',
      nodes: [node],
      ...{ sentinelName: null, sentinelUsername: null, sentinelPassword: null },
      username,
      password,
      database,
      tls: tls ? { ca: null } : null,
    };
  }
  const password = (key: 'password' | 'sentinelPassword'): string | null =>
    written[key] && read(written[key], ['redis', key], checkPassword);
  return {
    mode: written.mode,
    nodes:
      written.mode === 'standalone'
        ? written.nodes.map((node) => `${redisScheme(written)}://${node}`)
        : written.nodes,
    sentinelName: written.sentinelName,
    sentinelUsername: written.sentinelUsername,
    sentinelPassword: password('sentinelPassword'),
    username: written.username,
    password: password('password'),
    database: written.database,
    tls: redisTls(written, read),
  };
}

function redisScheme(written: WrittenRedis): string {
  return written.tls === false ? 'redis' : 'rediss';
}

function redisTls(written: WrittenRedis, read: Read): RedisConfig['tls'] {
  if (written.tls === false) return null;
  if (written.tls === true) return { ca: null };
  return { ca: written.tls.ca && read(written.tls.ca, ['redis', 'tls', 'ca'], checkCertificates) };
}
