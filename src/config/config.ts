import type { DoorsConfig } from './doors-config.ts';
import type { ListenConfig, TlsPair } from './listen-config.ts';
import type { SignInConfig } from './sign-in-config.ts';
import type { StoreConfig } from './store-config.ts';
import type { TracingConfig } from './tracing-config.ts';
import type { WarningsConfig } from './warnings-config.ts';

/** How WebDAV-aware a route is: decides which headers and bodies are read. */
export type RouteKind = 'webdav' | 'caldav' | 'rest';

/** A place where a route looks for a credential. */
export type Channel = 'basic' | 'bearer' | { readonly header: string } | { readonly query: string };

/** How the gateway identifies itself to a backend. */
export type BackendAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'serviceAccount'; readonly user: string; readonly password: string }
  | { readonly kind: 'sharedSecret'; readonly secret: string };

/** Host, path prefix, backend and rules. */
export interface RouteConfig {
  readonly name: string;
  /** `host` null matches every host; `path` starts and ends with a slash, decoded. */
  readonly match: { readonly host: string | null; readonly path: string };
  /** Origins without a path, at least one. */
  readonly backend: readonly string[];
  readonly kind: RouteKind;
  readonly accept: readonly Channel[];
  readonly mainPassword: 'refuse' | 'allow';
  /** Header names and templates over {user} {userId} {tokenId} {route}; null sends none. */
  readonly identity: {
    readonly user: string | null;
    readonly assertion: string | null;
    readonly headers: Readonly<Record<string, string>>;
  };
  readonly backendAuth: BackendAuth;
  /** 'preserve' sends the client's Host, 'backend' the backend's own, anything else that value. */
  readonly host: string;
  /** Scheme and authority that the backend believes it has, for Destination and If; null: backend scheme and the Host sent. */
  readonly backendOrigin: string | null;
  /** True: a chunked body is held in a file and sent with Content-Length, unless it is small and comes at once. */
  readonly spool: boolean;
  /** Chunked-upload folder ({user} is expanded), or null. */
  readonly uploads: string | null;
  /** How `node:` scopes map to paths; null: such scopes allow nothing here. */
  readonly nodes: { readonly template: string } | { readonly table: Readonly<Record<string, string>> } | null;
  /** Where the backend's certificate is not signed by a public authority: PEM text of those trusted, or null. */
  readonly backendCa: string | null;
  /** The certificate by which the gateway makes itself known to backends in TLS; null: by none. */
  readonly backendTls: TlsPair | null;
}

/** Where Redis is and how to speak to it. */
export interface RedisConfig {
  readonly mode: 'standalone' | 'sentinel' | 'cluster';
  /** One URL (redis:, rediss:) for standalone; host:port of sentinels or cluster nodes otherwise. */
  readonly nodes: readonly string[];
  readonly sentinelName: string | null;
  /** What the sentinels themselves ask for; the master's own stand below. */
  readonly sentinelUsername: string | null;
  readonly sentinelPassword: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly tls: { readonly ca: string | null } | null;
}

/** One pepper: the first signs, the rest are still understood. */
export interface PepperConfig {
  readonly id: string;
  readonly secret: string;
}

/** Everything the product can be told, parsed once and frozen. Secrets are resolved. */
export interface Config {
  /** Processes that serve, on one port. Default 1: this process alone. */
  readonly workers: number;
  readonly listen: ListenConfig;
  readonly admin: { readonly host: string; readonly port: number };
  /** Where other proxies ask for decisions. */
  readonly doors: DoorsConfig;
  /** Folder for what the gateway itself generates: store, pepper, signing key, spool. */
  readonly dataDir: string;
  readonly store: StoreConfig;
  readonly redis: RedisConfig | null;
  /** Null: one is generated under dataDir at first start. */
  readonly peppers: readonly PepperConfig[] | null;
  /** PKCS#8 PEM of the Ed25519 key that signs assertions; null: generated under dataDir. */
  readonly assertionKey: string | null;
  /** CIDR blocks whose X-Forwarded-* fields are believed; default none. */
  readonly trustedProxies: readonly string[];
  readonly routes: readonly RouteConfig[];
  readonly limits: {
    /** Time for a complete request head. Default 30 s. */
    readonly headMs: number;
    /** No byte moved in either direction of a body for this long ends the request. Default 60 s. */
    readonly idleMs: number;
    /** Slowest body accepted, averaged over idleMs, bytes per second. Default 64. */
    readonly bodyRateMin: number;
    /** Idle keep-alive connections of clients close after. Default 65 s. */
    readonly keepAliveMs: number;
    /** Connections of clients at a time. Default: what the limit of open files allows, at most 16,384. */
    readonly connections: number;
    /** The same per client address, /64 for IPv6; trusted proxies are not counted. Default 1,024. */
    readonly connectionsPerClient: number;
    /** Requests under way with one token; beyond it 429. Default 64. */
    readonly requestsPerToken: number;
    /** Time to connect to a backend. Default 5 s. */
    readonly connectMs: number;
    /** Time from the sent request to the backend's response head, and longest silence within a response. Default 300 s. */
    readonly backendHeadMs: number;
    /** Sockets per backend origin. Default: a fifth of the files that may be open, at most 4,096. */
    readonly backendConnections: number;
    /** Longest wait for one of them to fall free; beyond it 503. Default 30 s. */
    readonly backendWaitMs: number;
    /** Body read to decide about a REPORT or SEARCH. Default 1 MiB. */
    readonly reportBytes: number;
    /** Largest upload held by `spool`. Default 10 GiB. */
    readonly spoolBytes: number;
    /** In-flight requests get this long at TERM. Default 30 s. */
    readonly drainMs: number;
    /** Passwords being hashed at once, and waiting; beyond that 503. Defaults: cores, 64. */
    readonly passwordConcurrency: number;
    readonly passwordQueue: number;
    /** Failed distinct secrets per user name; beyond that refusals are 429. Default 10. */
    readonly failuresPerAccount: number;
    /** The same per client address, /64 for IPv6. Default 100. */
    readonly failuresPerClient: number;
    /** Counting starts anew this long after a first failure. Default 15 min. */
    readonly failureWindowMs: number;
  };
  /** The gateway's own pages and API below `/.latchkey`. */
  readonly portal: {
    /** Default true; false: nothing is served there. */
    readonly enabled: boolean;
    /** As browsers reach it, without a slash at its end: the pages are served under this address alone. Null: under any. */
    readonly url: string | null;
    /** A browser session ends when nothing was asked for this long. Default 12 h. */
    readonly sessionIdleMs: number;
    /** A browser session ends this long after sign-in. Default 7 days. */
    readonly sessionMs: number;
    /** A change needs a proof of presence no older than this. Default 5 min. */
    readonly confirmationMs: number;
  };
  /** How people sign in to the pages. */
  readonly signIn: SignInConfig;
  /** Who is told before a token ends. */
  readonly warnings: WarningsConfig;
  /** How long audit events are kept. Default 400 days. */
  readonly audit: { readonly keepMs: number };
  /** Traces of requests. */
  readonly tracing: TracingConfig;
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly access: boolean };
}
