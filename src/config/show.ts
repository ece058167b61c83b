import { Document, isMap, isScalar, isSeq, Scalar, type Node, type YAMLMap } from 'yaml';
import type { BackendAuth, Config, RedisConfig, RouteConfig } from './config.ts';
import type { LoadedConfig } from './load.ts';
import type { KeyPath } from './problem.ts';
import { formatDuration, formatSize } from './quantities.ts';
import type { WayConfig } from './sign-in-config.ts';
import { postgresUrl, type StoreConfig } from './store-config.ts';
import type { MailConfig, WarningsConfig } from './warnings-config.ts';

/** What stands in the place of every secret. */
const mask = '********';

/** The configuration in the shape of the file, every value with its source; secrets are masked. */
export interface ConfigDescription {
  readonly value: Readonly<Record<string, unknown>>;
  originOf(path: KeyPath): string;
}

/** Describes a configuration for people. Built field by field, so that no secret can slip through. */
export function describeConfig(loaded: LoadedConfig): ConfigDescription {
  const { config } = loaded;
  return {
    value: withoutNull({
      workers: config.workers,
      listen: describeListen(config.listen),
      admin: config.admin,
      doors: withoutNull({ ...config.doors }),
      dataDir: config.dataDir,
      store: describeStore(config.store),
      redis: config.redis && describeRedis(config.redis),
      peppers: config.peppers?.map(({ id }) => ({ id, secret: mask })) ?? null,
      assertionKey: config.assertionKey && mask,
      trustedProxies: config.trustedProxies,
      routes: config.routes.map(describeRoute),
      limits: describeLimits(config.limits),
      portal: withoutNull({
        enabled: config.portal.enabled,
        url: config.portal.url,
        sessionIdle: formatDuration(config.portal.sessionIdleMs),
        session: formatDuration(config.portal.sessionMs),
        confirmation: formatDuration(config.portal.confirmationMs),
      }),
      signIn: {
        ways: config.signIn.ways.map(describeWay),
        checkInterval: formatDuration(config.signIn.checkIntervalMs),
      },
      warnings: describeWarnings(config.warnings),
      audit: { keep: formatDuration(config.audit.keepMs) },
      tracing: config.tracing,
      log: config.log,
    }),
    originOf: (path) => originOf(loaded, path),
  };
}

function describeListen(listen: Config['listen']): Readonly<Record<string, unknown>> {
  const { tls, host, port, socket, socketMode, proxyProtocol } = listen;
  const place = socket === null ? { host, port } : { socket, socketMode: `0${socketMode.toString(8)}` };
  return withoutNull({ ...place, proxyProtocol, tls: tls && { cert: mask, key: mask, http2: tls.http2 } });
}

/** The short form `backend:` shows as the route it stands for. */
function originOf(loaded: LoadedConfig, path: KeyPath): string {
  const isDefaultRoute = path[0] === 'routes' && loaded.originOf(['routes']) === 'default';
  if (isDefaultRoute && path[2] === 'backend') return loaded.originOf(['backend']);
  return loaded.originOf(path);
}

function describeRoute(route: RouteConfig): Readonly<Record<string, unknown>> {
  return withoutNull({
    name: route.name,
    match: withoutNull({ ...route.match }),
    backend: route.backend,
    kind: route.kind,
    accept: route.accept,
    mainPassword: route.mainPassword,
    identity:
      route.identity.assertion === null ? { ...route.identity, assertion: undefined } : route.identity,
    backendAuth: describeBackendAuth(route.backendAuth),
    host: route.host,
    backendOrigin: route.backendOrigin,
    spool: route.spool,
    uploads: route.uploads,
    nodes: route.nodes,
    backendCa: route.backendCa && mask,
    backendTls: route.backendTls && { cert: mask, key: mask },
  });
}

function describeBackendAuth(auth: BackendAuth): unknown {
  switch (auth.kind) {
    case 'none':
      return 'none';
    case 'serviceAccount':
      return { serviceAccount: { user: auth.user, password: mask } };
    case 'sharedSecret':
      return { sharedSecret: mask };
  }
}

/** Field by field but for the secrets, which are few and named here. */
function describeWay(way: WayConfig): Readonly<Record<string, unknown>> {
  switch (way.kind) {
    case 'local':
    case 'htpasswd':
      return { ...way };
    case 'ldap': {
      const { bindPassword, ca, groups, ...plain } = way;
      const secrets = { bindPassword: bindPassword && mask, ca: ca && mask };
      return withoutNull({ ...plain, ...secrets, groups: groups && withoutNull({ ...groups }) });
    }
    case 'oidc': {
      const { clientSecret, ca, ...plain } = way;
      return withoutNull({ ...plain, clientSecret: clientSecret && mask, ca: ca && mask });
    }
  }
}

function describeWarnings({ days, mail, webhook }: WarningsConfig): Readonly<Record<string, unknown>> {
  return withoutNull({
    days,
    mail: mail && describeMail(mail),
    webhook: webhook && withoutNull({ url: webhook.url, secret: mask, ca: webhook.ca && mask }),
  });
}

function describeMail({ password, ca, from, ...plain }: MailConfig): Readonly<Record<string, unknown>> {
  return withoutNull({
    ...plain,
    password: password && mask,
    ca: ca && mask,
    from: from.name === null ? from.address : `${from.name} <${from.address}>`,
  });
}

function describeStore(store: StoreConfig): unknown {
  if (store.kind === 'sqlite') return `sqlite:${store.path}`;
  // Said once: what the URL could say of TLS stands in a key of its own.
  const { password, tls } = store;
  return withoutNull({
    url: postgresUrl({ ...store, tls: null }),
    password: password && mask,
    poolMax: store.poolMax,
    connectTimeout: formatDuration(store.connectTimeoutMs),
    statementTimeout: formatDuration(store.statementTimeoutMs),
    tls: tls === null ? false : tls.ca === null ? true : { ca: mask },
  });
}

function describeRedis(redis: RedisConfig): Readonly<Record<string, unknown>> {
  return withoutNull({
    mode: redis.mode,
    nodes: redis.nodes.map((node) => node.replace(/^rediss?:\/\//, '')),
    sentinelName: redis.sentinelName,
    sentinelUsername: redis.sentinelUsername,
    sentinelPassword: redis.sentinelPassword && mask,
    username: redis.username,
    password: redis.password && mask,
    database: redis.database,
    tls: redis.tls === null ? false : redis.tls.ca === null ? true : { ca: mask },
  });
}

function describeLimits(limits: Config['limits']): Readonly<Record<string, unknown>> {
  return {
    head: formatDuration(limits.headMs),
    idle: formatDuration(limits.idleMs),
    bodyRateMin: limits.bodyRateMin,
    keepAlive: formatDuration(limits.keepAliveMs),
    connections: limits.connections,
    connectionsPerClient: limits.connectionsPerClient,
    requestsPerToken: limits.requestsPerToken,
    connect: formatDuration(limits.connectMs),
    backendHead: formatDuration(limits.backendHeadMs),
    backendConnections: limits.backendConnections,
    backendWait: formatDuration(limits.backendWaitMs),
    report: formatSize(limits.reportBytes),
    spool: formatSize(limits.spoolBytes),
    drain: formatDuration(limits.drainMs),
    passwordConcurrency: limits.passwordConcurrency,
    passwordQueue: limits.passwordQueue,
    failuresPerAccount: limits.failuresPerAccount,
    failuresPerClient: limits.failuresPerClient,
    failureWindow: formatDuration(limits.failureWindowMs),
  };
}

function withoutNull(value: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null && each !== undefined));
}

/** YAML that the product reads back (but for masked secrets), with the source of each value as a comment. */
export function toYaml(description: ConfigDescription): string {
  const document = new Document(description.value, { aliasDuplicateObjects: false });
  annotate(document.contents, [], description);
  // The printer puts the comment of an empty list or map on a line of its own.
  return document.toString({ lineWidth: 0 }).replaceAll(/:\n +(\[\]|\{\})\n +# /g, ': $1 # ');
}

function annotate(node: Node | null, path: KeyPath, description: ConfigDescription): void {
  if ((isMap(node) || isSeq(node)) && node.items.length === 0) {
    node.comment = ` ${description.originOf(path)}`;
  } else if (isMap(node)) {
    for (const pair of (node as YAMLMap<Scalar<string>, Node>).items) {
      annotate(pair.value, [...path, pair.key.value], description);
    }
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => annotate(item as Node, [...path, index], description));
  } else if (isScalar(node)) {
    node.comment = ` ${description.originOf(path)}`;
  }
}

/** For machines: the same values, and beside them the source of each by its key path. */
export function toPlain(description: ConfigDescription): {
  readonly config: unknown;
  readonly sources: Readonly<Record<string, string>>;
} {
  const sources: Record<string, string> = {};
  collectSources(description.value, [], description, sources);
  return { config: description.value, sources };
}

function collectSources(
  value: unknown,
  path: KeyPath,
  description: ConfigDescription,
  sources: Record<string, string>,
): void {
  if (typeof value === 'object' && value !== null) {
    for (const [key, child] of Object.entries(value)) {
      collectSources(child, [...path, Array.isArray(value) ? Number(key) : key], description, sources);
    }
    return;
  }
  sources[path.join('.')] = description.originOf(path);
}
