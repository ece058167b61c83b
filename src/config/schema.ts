import { z } from 'zod';
import { parseHostPort, parseListenHost, parsePortalUrl, parseRedisUrl } from './addresses.ts';
import type { RedisUrl } from './addresses.ts';
import type { Config } from './config.ts';
import { doorsSchema } from './doors-schema.ts';
import { listenSchema, parseTrusted, type WrittenListen } from './listen-schema.ts';
import type { Parsed } from './quantities.ts';
import { backendSchema, routeSchema, type WrittenRoute } from './route-schema.ts';
import {
  duration,
  leaf,
  optional,
  parseFileName,
  secret,
  size,
  wholeNumber,
  type SecretReference,
} from './schema-parts.ts';
import { signInSchema, type WrittenSignIn } from './sign-in-schema.ts';
import { storeSchema, type WrittenStore } from './store-schema.ts';
import { tracingSchema } from './tracing-schema.ts';
import { warningsSchema, type WrittenWarnings } from './warnings-schema.ts';
import { workersSchema } from './workers-schema.ts';

/** `redis:` written as a map, secrets not yet read. */
export interface WrittenRedis {
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  readonly nodes: readonly string[];
  readonly sentinelName: string | null;
  readonly sentinelUsername: string | null;
  readonly sentinelPassword: SecretReference | null;
  readonly username: string | null;
  readonly password: SecretReference | null;
  readonly database: number;
  readonly tls: boolean | { readonly ca: SecretReference | null };
}

/** The whole file as written: every value read and checked by itself, secrets not yet read. */
export interface WrittenConfig
  extends Pick<
    Config,
    'workers' | 'admin' | 'doors' | 'dataDir' | 'trustedProxies' | 'portal' | 'audit' | 'tracing' | 'log'
  > {
  readonly listen: WrittenListen;
  /** Null: `latchkey.db` in dataDir. */
  readonly store: WrittenStore | null;
  readonly redis: RedisUrl | WrittenRedis | null;
  readonly peppers: readonly { readonly id: string; readonly secret: SecretReference }[] | null;
  readonly assertionKey: SecretReference | null;
  readonly signIn: WrittenSignIn;
  readonly warnings: WrittenWarnings;
  /** Short for one route named default. */
  readonly backend: readonly string[] | null;
  readonly routes: readonly WrittenRoute[] | null;
  readonly limits: Omit<Config['limits'], 'passwordConcurrency' | 'connections' | 'backendConnections'> & {
    readonly passwordConcurrency: number | null;
    readonly connections: number | null;
    readonly backendConnections: number | null;
  };
}

const second = 1_000;
const hour = 3_600 * second;
const day = 24 * hour;

const limitsSchema = z
  .strictObject({
    head: duration('Time for a complete request head.', '30s', [second, hour]),
    idle: duration('A body that does not move for this long ends the request.', '60s', [second, 24 * hour]),
    bodyRateMin: wholeNumber(
      'Slowest body accepted, averaged over idle, bytes per second.',
      [0, 1e9],
    ).default(64),
    keepAlive: duration('Idle connections of clients close after this.', '65s', [0, 24 * hour]),
    connections: optional(
      wholeNumber(
        'Connections of clients at a time; left out, three quarters of the files that may be open, at most 16384.',
        [1, 1_000_000],
      ),
    ),
    connectionsPerClient: wholeNumber(
      'The same per client: an IPv4 address, a /64 of IPv6. Those of trustedProxies are not counted here.',
      [1, 1_000_000],
    ).default(1_024),
    requestsPerToken: wholeNumber(
      'Requests with one token at a time, WebSockets included; beyond it, 429.',
      [1, 1_000_000],
    ).default(64),
    connect: duration('Time to connect to a backend.', '5s', [10, hour]),
    backendHead: duration("Time from the sent request to the head of the backend's answer.", '300s', [
      100,
      24 * hour,
    ]),
    backendConnections: optional(
      wholeNumber(
        'Connections to each backend; left out, a fifth of the files that may be open, at most 4096.',
        [1, 65535],
      ),
    ),
    backendWait: duration('Time for one of these connections to fall free; beyond it, 503.', '30s', [
      10,
      hour,
    ]),
    report: size('Largest REPORT or SEARCH body, which has to be read to decide.', '1MiB', [1024, 2 ** 30]),
    spool: size('Largest upload that spool holds.', '10GiB', [1024, 2 ** 50]),
    drain: duration('Requests in flight get this long when the gateway is told to stop.', '30s', [
      0,
      24 * hour,
    ]),
    passwordConcurrency: optional(
      wholeNumber('Passwords hashed at once; left out, the number of cores.', [1, 1024]),
    ),
    passwordQueue: wholeNumber('Passwords waiting to be hashed; beyond it, 503.', [0, 100_000]).default(64),
    failuresPerAccount: wholeNumber(
      'Different wrong secrets per user name; beyond it, what is refused gets 429. Valid tokens always pass.',
      [1, 1000],
    ).default(10),
    failuresPerClient: wholeNumber('The same per client: an IPv4 address, a /64 of IPv6.', [1, 1000]).default(
      100,
    ),
    failureWindow: duration('Counting wrong secrets starts anew this long after the first.', '15m', [
      second,
      24 * hour,
    ]),
  })
  .transform((written) => ({
    headMs: written.head,
    idleMs: written.idle,
    bodyRateMin: written.bodyRateMin,
    keepAliveMs: written.keepAlive,
    connections: written.connections,
    connectionsPerClient: written.connectionsPerClient,
    requestsPerToken: written.requestsPerToken,
    connectMs: written.connect,
    backendHeadMs: written.backendHead,
    backendConnections: written.backendConnections,
    backendWaitMs: written.backendWait,
    reportBytes: written.report,
    spoolBytes: written.spool,
    drainMs: written.drain,
    passwordConcurrency: written.passwordConcurrency,
    passwordQueue: written.passwordQueue,
    failuresPerAccount: written.failuresPerAccount,
    failuresPerClient: written.failuresPerClient,
    failureWindowMs: written.failureWindow,
  }));

const portalSchema = z
  .strictObject({
    enabled: z.boolean().default(true).meta({ description: 'Serve them; false: nothing is served there.' }),
    url: optional(
      leaf(
        parsePortalUrl,
        'As browsers reach them, such as https://tokens.example.org; served under this address alone. Left out, under any.',
      ),
    ),
    sessionIdle: duration('A browser session ends when nothing was asked for this long.', '12h', [
      60 * second,
      30 * day,
    ]),
    session: duration('A browser session ends this long after sign-in.', '7d', [60 * second, 365 * day]),
    confirmation: duration('A change needs a proof of presence no older than this.', '5m', [
      10 * second,
      day,
    ]),
  })
  .transform(({ enabled, url, sessionIdle, session, confirmation }) => ({
    enabled,
    url,
    sessionIdleMs: sessionIdle,
    sessionMs: session,
    confirmationMs: confirmation,
  }));

const redisMapSchema = z.strictObject({
  mode: z
    .enum(['standalone', 'sentinel', 'cluster'])
    .default('standalone')
    .meta({ description: 'One server, sentinels that know it, or a cluster.' }),
  nodes: z
    .array(leaf(parseHostPort, 'host:port'))
    .min(1, { error: 'must hold at least one host:port' })
    .meta({ description: 'The server, the sentinels, or some nodes of the cluster.' }),
  sentinelName: optional(leaf(parseWord, 'Name of the master that the sentinels watch.')),
  sentinelUsername: optional(leaf(parseWord, 'ACL user name at the sentinels themselves.')),
  sentinelPassword: optional(secret('Password of the sentinels themselves.')),
  username: optional(leaf(parseWord, 'ACL user name.')),
  password: optional(secret('Password.')),
  database: wholeNumber('Database number; clusters have only 0.', [0, 9999]).default(0),
  tls: z
    .union([z.boolean(), z.strictObject({ ca: optional(secret('PEM certificates of its authority.')) })], {
      error: 'must be true, false or {ca: {fromFile: PATH}}',
    })
    .default(false)
    .meta({ description: 'Speak TLS.' }),
});

/**
 * The one schema of the configuration file: it validates, fills in defaults, and is what
 * the JSON Schema and the names of environment variables are made from.
 */
export const configFileSchema: z.ZodType<WrittenConfig> = z.strictObject({
  workers: workersSchema,
  listen: listenSchema.prefault({}).meta({ description: 'Where clients connect.' }),
  admin: z
    .strictObject({
      host: leaf(parseListenHost, 'Address to listen on.').prefault('127.0.0.1'),
      port: wholeNumber('Port; 0 takes a free one.', [0, 65535]).default(8081),
    })
    .prefault({})
    .meta({ description: 'Where /livez, /readyz and /metrics are served.' }),
  doors: doorsSchema
    .prefault({})
    .meta({ description: 'Where other proxies ask whether a request may pass.' }),
  dataDir: leaf(
    parseFileName,
    'Folder for what the gateway makes itself: store, pepper, signing key, spooled uploads.',
  ).prefault('./data'),
  store: optional(storeSchema),
  redis: optional(
    z
      .union([leaf(parseRedisUrl, 'redis:// or rediss:// URL.'), redisMapSchema], {
        error: 'must be a URL such as redis://127.0.0.1:6379, or a map with mode and nodes',
      })
      .meta({ description: 'Shared cache between several gateways; left out, none.' }),
  ),
  peppers: optional(
    z
      .array(
        z.strictObject({
          id: leaf(parsePepperId, 'Short name, kept with each token.'),
          secret: secret('32 bytes or more.'),
        }),
      )
      .min(1, { error: 'must hold at least one pepper' })
      .meta({
        description: 'Keys that token digests are made with, newest first; left out, one is made in dataDir.',
      }),
  ),
  assertionKey: optional(
    secret('PKCS#8 PEM of the Ed25519 key that signs assertions; left out, one is made in dataDir.'),
  ),
  trustedProxies: z
    .array(leaf(parseTrusted, 'Address, CIDR block, or unix: for everybody who comes over listen.socket.'))
    .default([])
    .meta({ description: 'Proxies whose X-Forwarded-* headers are believed; by default none.' }),
  backend: optional(
    backendSchema.meta({
      description: 'Short for one WebDAV route named default that takes every path; excludes routes.',
    }),
  ),
  routes: optional(
    z
      .array(routeSchema)
      .min(1, { error: 'must hold at least one route' })
      .meta({ description: 'Which backend serves what, and by which rules.' }),
  ),
  limits: limitsSchema.prefault({}).meta({ description: 'Bounds on time, size and number.' }),
  portal: portalSchema.prefault({}).meta({ description: 'The pages and the API below /.latchkey.' }),
  signIn: signInSchema.prefault({}).meta({ description: 'How people sign in to the pages.' }),
  warnings: warningsSchema.prefault({}).meta({ description: 'Who is told before a token ends.' }),
  audit: z
    .strictObject({
      keep: duration('What happened to tokens and users is remembered for this long.', '400d', [
        day,
        36_500 * day,
      ]),
    })
    .transform(({ keep }) => ({ keepMs: keep }))
    .prefault({})
    .meta({ description: 'The audit trail in the store.' }),
  tracing: tracingSchema.prefault({}).meta({ description: 'Traces of requests, by OpenTelemetry.' }),
  log: z
    .strictObject({
      level: z
        .enum(['debug', 'info', 'warn', 'error'])
        .default('info')
        .meta({ description: 'Least level written.' }),
      access: z.boolean().default(true).meta({ description: 'One line for each request.' }),
    })
    .prefault({})
    .meta({ description: 'JSON lines on stdout.' }),
});

function parseWord(text: string): Parsed<string> {
  return /^[^\s\p{Cc}]+$/u.test(text) ? { value: text } : { wrong: 'must be a name without spaces' };
}

function parsePepperId(text: string): Parsed<string> {
  if (/^[A-Za-z0-9_-]{1,32}$/.test(text)) return { value: text };
  return { wrong: 'must be 1 to 32 letters, digits, _ or -, such as 2026a' };
}
