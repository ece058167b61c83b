/**
 * What happens to each request field before anything is decided. One table, so that reading,
 * refusing and stripping cannot disagree.
 */

/** What the reader does with a field. */
export type FieldRule =
  /** May stand once and is kept in its slot; passed on as it is where `pass`. */
  | { readonly kind: 'once'; readonly slot: number; readonly name: string; readonly pass: boolean }
  /** A list that may stand on several lines (RFC 9110 section 5.3); kept in its slot, not passed on. */
  | { readonly kind: 'list'; readonly slot: number }
  /** Carries a credential on some route; may stand once, never passed on. */
  | { readonly kind: 'credential'; readonly name: string }
  /** Believed from trusted proxies only, never passed on as it is. */
  | { readonly kind: 'forwarded'; readonly slot: 'for' | 'proto' | 'host' }
  /** Passed on without the cookies of our own pages. */
  | { readonly kind: 'cookie' }
  /**
   * Never passed on, under any spelling. `obeyed` where a backend might take it for a decision of somebody's: who asks,
   * or for what; false for what proxies say of each other and of addresses.
   */
  | { readonly kind: 'drop'; readonly obeyed: boolean };

/** Where the reader keeps what it interprets: positions in an array of `slotCount` values. */
export const slot = {
  host: 0,
  authorization: 1,
  destination: 2,
  if: 3,
  depth: 4,
  overwrite: 5,
  lockToken: 6,
  methodOverride: 7,
  uploadMetadata: 8,
  contentType: 9,
  contentEncoding: 10,
  contentLength: 11,
  transferEncoding: 12,
  connection: 13,
  userAgent: 14,
  referer: 15,
  expect: 16,
} as const;

/** Passed on without being read, but at most once: two of them would be read differently by different backends. */
const singletons = [
  'timeout',
  'range',
  'content-range',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'x-update-range',
  'upload-offset',
  'upload-length',
] as const;

const firstSingleton = Object.keys(slot).length;

/** How many values the reader has room for. */
export const slotCount: number = firstSingleton + singletons.length;

/** Finds the rule of a field. */
export interface FieldRules {
  /** The rule of this name in any spelling, or null where it is passed on as often as it stands. */
  ruleOf(name: string): FieldRule | null;
}

const once = (name: string, position: number, pass: boolean): [string, FieldRule] => [
  name,
  { kind: 'once', slot: position, name, pass },
];
const drop: FieldRule = { kind: 'drop', obeyed: true };
const dropAside: FieldRule = { kind: 'drop', obeyed: false };

const interpreted: readonly (readonly [string, FieldRule])[] = [
  once('host', slot.host, false),
  once('authorization', slot.authorization, false),
  once('destination', slot.destination, false),
  once('if', slot.if, false),
  once('depth', slot.depth, true),
  once('overwrite', slot.overwrite, true),
  once('lock-token', slot.lockToken, true),
  once('upload-metadata', slot.uploadMetadata, true),
  once('content-type', slot.contentType, true),
  once('content-encoding', slot.contentEncoding, true),
  once('user-agent', slot.userAgent, true),
  once('referer', slot.referer, false),
  once('content-length', slot.contentLength, false),
  once('transfer-encoding', slot.transferEncoding, false),
  once('expect', slot.expect, false),
  // Three names of one thing: they may stand once between them.
  once('x-http-method-override', slot.methodOverride, false),
  once('x-http-method', slot.methodOverride, false),
  once('x-method-override', slot.methodOverride, false),
  ...singletons.map((name, at) => once(name, firstSingleton + at, true)),
  ['connection', { kind: 'list', slot: slot.connection }],
  ['cookie', { kind: 'cookie' }],
  ['x-forwarded-for', { kind: 'forwarded', slot: 'for' }],
  ['x-forwarded-proto', { kind: 'forwarded', slot: 'proto' }],
  ['x-forwarded-host', { kind: 'forwarded', slot: 'host' }],
];

/** Dropped, though no backend would do anything else for them. */
const droppedAside: readonly string[] = [
  // RFC 9110 section 7.6.1 and what old software still sends hop by hop.
  'keep-alive',
  'proxy-connection',
  'proxy-authorization',
  'proxy-authenticate',
  'te',
  'trailer',
  'upgrade',
  'forwarded',
  'x-forwarded',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'x-cluster-client-ip',
  'x-request-id',
  'x-scheme',
  'x-url-scheme',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-scheme',
  'x-forwarded-protocol',
  'x-forwarded-ssl',
  'x-forwarded-by',
  'x-forwarded-method',
  'x-forwarded-uri',
];

const dropped: readonly string[] = [
  // With it a backend may go over to HTTP/2 (RFC 7540 section 3.2.1), in which nobody decides on anything any more.
  'http2-settings',
  // CGI turns it into HTTP_PROXY, which libraries obey.
  'proxy',
  // Frameworks route by these instead of the target or the Host.
  'x-rewrite-url',
  'x-rewrite-uri',
  'x-override-url',
  // WSGI applications and gunicorn cut such a prefix off target and Destination: what was allowed is not what is done.
  'x-script-name',
  'script-name',
  'x-path-info',
  'path-info',
  'x-host',
  'x-http-host-override',
  // Rack answers with other files where a client may send these.
  'x-sendfile-type',
  'x-accel-mapping',
  'remote-user',
];

/** Names that nobody but a gateway may send, whatever follows: addresses, original URLs, identities. */
const droppedPrefixes = [
  'x-forwarded-',
  'x-original-',
  'x-latchkey-',
  'x-auth-request-',
  'x-authenticated-',
  'x-authentik-',
  'x-remote-',
  'x-webauth-',
  'x-pomerium-',
  'x-vouch-',
  'x-auth-user',
  'auth-user',
  'remote-',
] as const;

/** The same, of what stands in front of proxies: who may ask them is sorted out there. */
const droppedAsidePrefixes = [
  'x-envoy-',
  'x-ms-client-principal',
  'x-goog-iap-',
  'x-goog-authenticated-',
  'cf-access-',
  'tailscale-',
  'x-amzn-oidc-',
  'wl-proxy-',
  // RFC 9440, and what servers sent before it.
  'client-cert',
  'x-client-cert',
  'x-ssl-client-',
  'x-ssl-cert',
  'x-tls-client-',
  'x-amzn-mtls-',
  'x-arr-clientcert',
  'ssl-client-',
] as const;

/** Spellings of names remembered with their rule; hostile ones push out no more than this. */
const spellingsMax = 512;
const spellingLengthMax = 64;

/**
 * Folds a name as CGI, WSGI, PHP and others fold it: every character that is neither a letter nor
 * a digit becomes a hyphen.
 */
export function foldFieldName(lowerName: string): string {
  return lowerName.replace(/[^a-z0-9]/g, '-');
}

/**
 * Builds the table. `identityNames` are the headers by which any route identifies users to a
 * backend, `credentialNames` those in which any route accepts a credential, `replacedNames` what the gateway says itself
 * and backends would do nothing else for.
 */
export function createFieldRules(
  identityNames: readonly string[],
  credentialNames: readonly string[],
  replacedNames: readonly string[] = [],
): FieldRules {
  const rules = new Map<string, FieldRule>(interpreted);
  for (const name of [...droppedAside, ...replacedNames]) rules.set(name, dropAside);
  for (const name of dropped) rules.set(name, drop);
  for (const name of identityNames) rules.set(name.toLowerCase(), drop);
  for (const name of credentialNames) {
    rules.set(name.toLowerCase(), { kind: 'credential', name: name.toLowerCase() });
  }
  // A name with a dot is taken for the one with a hyphen, too.
  for (const alias of [...rules.keys()].map(foldFieldName)) if (!rules.has(alias)) rules.set(alias, drop);
  const find = (lowerName: string): FieldRule | null => {
    const exact = rules.get(lowerName);
    if (exact !== undefined) return exact;
    const alias = foldFieldName(lowerName);
    if (rules.has(alias) || droppedPrefixes.some((prefix) => alias.startsWith(prefix))) return drop;
    return droppedAsidePrefixes.some((prefix) => alias.startsWith(prefix)) ? dropAside : null;
  };
  const spellings = new Map<string, FieldRule | null>();
  return {
    ruleOf(name) {
      const known = spellings.get(name);
      if (known !== undefined) return known;
      const rule = find(name.toLowerCase());
      if (spellings.size >= spellingsMax) spellings.clear();
      if (name.length <= spellingLengthMax) spellings.set(name, rule);
      return rule;
    },
  };
}
