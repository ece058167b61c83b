/**
 * What happens to each request field before anything is decided. One table, so that reading,
 * refusing and stripping cannot disagree.
 */

/** What the reader does with a field. */
export type FieldRule =
  /** Interpreted, may stand once, not passed on as it is. */
  | { readonly kind: 'read'; readonly slot: ReadSlot }
  /** May stand once, passed on as it is. */
  | { readonly kind: 'single' }
  /** Interpreted and passed on; may stand once. */
  | { readonly kind: 'readAndPass'; readonly slot: ReadSlot }
  /** Carries a credential on some route; may stand once, never passed on. */
  | { readonly kind: 'credential' }
  /** Believed from trusted proxies only, never passed on as it is. */
  | { readonly kind: 'forwarded'; readonly slot: 'for' | 'proto' | 'host' }
  /** Never passed on, under any spelling. */
  | { readonly kind: 'drop' };

/** Where the reader puts what it interprets. */
export type ReadSlot =
  | 'host'
  | 'authorization'
  | 'destination'
  | 'if'
  | 'depth'
  | 'overwrite'
  | 'lock-token'
  | 'method-override'
  | 'upload-metadata'
  | 'content-type'
  | 'content-encoding'
  | 'content-length'
  | 'transfer-encoding'
  | 'connection'
  | 'user-agent'
  | 'referer'
  | 'expect';

/** Finds the rule of a field. */
export interface FieldRules {
  /** The rule of this lower-case name, or null where it is passed on as often as it stands. */
  ruleOf(lowerName: string): FieldRule | null;
}

const read = (slot: ReadSlot): FieldRule => ({ kind: 'read', slot });
const readAndPass = (slot: ReadSlot): FieldRule => ({ kind: 'readAndPass', slot });
const single: FieldRule = { kind: 'single' };
const drop: FieldRule = { kind: 'drop' };

const builtIn: Readonly<Record<string, FieldRule>> = {
  host: read('host'),
  authorization: read('authorization'),
  destination: read('destination'),
  if: read('if'),
  depth: readAndPass('depth'),
  overwrite: readAndPass('overwrite'),
  'lock-token': readAndPass('lock-token'),
  'upload-metadata': readAndPass('upload-metadata'),
  'content-type': readAndPass('content-type'),
  'content-encoding': readAndPass('content-encoding'),
  'user-agent': readAndPass('user-agent'),
  referer: read('referer'),
  'content-length': read('content-length'),
  'transfer-encoding': read('transfer-encoding'),
  connection: read('connection'),
  expect: read('expect'),
  'x-http-method-override': read('method-override'),
  'x-http-method': read('method-override'),
  'x-method-override': read('method-override'),
  timeout: single,
  range: single,
  'content-range': single,
  'if-modified-since': single,
  'if-unmodified-since': single,
  'if-range': single,
  'x-update-range': single,
  'upload-offset': single,
  'upload-length': single,
  // RFC 9110 section 7.6.1 and what old software still sends hop by hop.
  'keep-alive': drop,
  'proxy-connection': drop,
  'proxy-authorization': drop,
  'proxy-authenticate': drop,
  te: drop,
  trailer: drop,
  upgrade: drop,
  'http2-settings': drop,
  // CGI turns it into HTTP_PROXY, which libraries obey.
  proxy: drop,
  forwarded: drop,
  'x-real-ip': drop,
  'x-client-ip': drop,
  'true-client-ip': drop,
  'x-cluster-client-ip': drop,
  'x-request-id': drop,
  // Frameworks route by these instead of the target.
  'x-rewrite-url': drop,
  'x-url-scheme': drop,
  'x-scheme': drop,
  'remote-user': drop,
  'x-remote-user': drop,
  'x-authenticated-user': drop,
  'x-forwarded-for': { kind: 'forwarded', slot: 'for' },
  'x-forwarded-proto': { kind: 'forwarded', slot: 'proto' },
  'x-forwarded-host': { kind: 'forwarded', slot: 'host' },
};

/** Names that nobody but a gateway may send, whatever follows. */
const droppedPrefixes = [
  'x-forwarded-',
  'x-original-',
  'x-latchkey-',
  'x-auth-request-',
  'x-remote-',
  'x-webauth-',
  'remote-',
] as const;

/**
 * Folds a name as CGI, WSGI, PHP and others fold it: every character that is neither a letter nor
 * a digit becomes a hyphen.
 */
export function foldFieldName(lowerName: string): string {
  return lowerName.replace(/[^a-z0-9]/g, '-');
}

/**
 * Builds the table. `identityNames` are the headers by which any route identifies users to a
 * backend, `credentialNames` those in which any route accepts a credential.
 */
export function createFieldRules(
  identityNames: readonly string[],
  credentialNames: readonly string[],
): FieldRules {
  const rules = new Map<string, FieldRule>(Object.entries(builtIn));
  for (const name of identityNames) rules.set(name.toLowerCase(), drop);
  for (const name of credentialNames) rules.set(name.toLowerCase(), { kind: 'credential' });
  const folded = new Set([...rules.keys()].map(foldFieldName));
  const dropped = (name: string): boolean => droppedPrefixes.some((prefix) => name.startsWith(prefix));
  const plain = /^[a-z0-9-]+$/;
  return {
    ruleOf(lowerName) {
      const exact = rules.get(lowerName);
      if (exact !== undefined) return exact;
      const first = lowerName.charCodeAt(0);
      // Only x-… and remote-… can carry a dropped prefix.
      if (plain.test(lowerName)) {
        return (first === 0x78 || first === 0x72) && dropped(lowerName) ? drop : null;
      }
      const alias = foldFieldName(lowerName);
      return folded.has(alias) || dropped(alias) ? drop : null;
    },
  };
}
