import fc from 'fast-check';
import { authzCases } from './cases.ts';
import { changedUrl } from './changed-url.ts';

/** A request that somebody with a narrow token might try. Its host is gw.example. */
export interface HostileRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** The token's scopes. */
  readonly scopes: readonly string[];
}

const root = '/dav/files/alice/';
const urls = [
  ...'Photos Photos/ Photos/a.jpg Photos/2024/ Photos/2024/x Photos/new Photos/new/ Photosx/x photos/x'.split(
    ' ',
  ),
  ...'Inbox/ Inbox/x Inbox/new Secret/ Secret/x notes.txt %C3%9Crlaub%20100%25/x %C3%9Crlaub%20100%25/new'.split(
    ' ',
  ),
  '',
].map((path) => root + path);

interface Narrow {
  readonly scopes: readonly string[];
  /** URLs that lie inside. */
  readonly urls: readonly string[];
}

/** Tokens for folders, a file, a node and a route. */
const narrow: readonly Narrow[] = [
  {
    scopes: [`path:${root}Photos/:rw`],
    urls: ['Photos/a.jpg', 'Photos/', 'Photos/2024/', 'Photos/new', 'Photos/new/', 'Photos/2024/x'],
  },
  {
    scopes: ['path:/dav/files/{user}/Photos/:r', `path:${root}Inbox/:w`],
    urls: ['Photos/a.jpg', 'Photos/2024/', 'Inbox/x', 'Inbox/new', 'Inbox/new/'],
  },
  { scopes: [`path:${root}notes.txt:rw`], urls: ['notes.txt', 'notes.txt/'] },
  {
    scopes: [`path:${root}%C3%9Crlaub 100%25/:rw`],
    urls: ['%C3%9Crlaub%20100%25/x', '%C3%9Crlaub%20100%25/new', '%C3%9Crlaub%20100%25/'],
  },
  { scopes: ['node:n1:rw'], urls: ['Photos/2024/x', 'Photos/2024/deep/', 'Photos/2024/new'] },
  {
    scopes: ['route:files:rw'],
    urls: ['Photos/x', 'Inbox/', '', 'Secret', '../bob/Photos/', '../bob/new', 'new/'],
  },
  {
    scopes: ['route:files:r', `path:${root}Photos/2024/:w`],
    urls: ['Photos/2024/new', 'Photos/', '', 'Secret', 'Inbox/x'],
  },
].map((each) => ({
  scopes: each.scopes,
  urls: each.urls.map((path) => `${root}${path}`.replace('alice/../', '')),
}));

const methods = [
  ...'GET GET HEAD PUT PUT DELETE DELETE MKCOL COPY COPY COPY MOVE MOVE MOVE PROPFIND PROPFIND'.split(' '),
  ...'PROPPATCH LOCK UNLOCK POST PATCH OPTIONS MKCALENDAR ACL BIND'.split(' '),
];

const lockBody =
  '<d:lockinfo xmlns:d="DAV:"><d:lockscope><d:exclusive/></d:lockscope><d:locktype><d:write/></d:locktype><d:owner><d:href>/dav/files/alice/Secret/x</d:href></d:owner></d:lockinfo>';
const patchBody =
  '<d:propertyupdate xmlns:d="DAV:"><d:set><d:prop><x:p xmlns:x="urn:x">v</x:p></d:prop></d:set></d:propertyupdate>';
const bodies: Readonly<Record<string, string>> = {
  PUT: 'put',
  PATCH: 'patched',
  LOCK: lockBody,
  PROPPATCH: patchBody,
};

/** The value in so many of a hundred cases, null in the others. */
function inHundred(times: number, value: fc.Arbitrary<string>): fc.Arbitrary<string | null> {
  return fc.oneof({ weight: 100 - times, arbitrary: fc.constant(null) }, { weight: times, arbitrary: value });
}

function ifField(url: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.array(url, { maxLength: 2 }),
      fc.constantFrom(
        ...[
          '(["x"])',
          '(Not ["x"])',
          '(Not <DAV:no-lock>)',
          '(<opaquelocktoken:1> ["x"]) (Not <DAV:no-lock>)',
        ],
        ...['(not["a>b"])', '([W/"x)("])', '()', '(["x"'],
      ),
    )
    .map(([tags, list]) => (tags.length === 0 ? list : tags.map((tag) => `<${tag}> ${list}`).join(' ')));
}

/** Requests by grammar: a method, and changed URLs wherever one may stand; those of the token's own folders most often. */
export const requestByGrammar: fc.Arbitrary<HostileRequest> = fc.constantFrom(...narrow).chain((token) => {
  const url = fc.oneof(
    { weight: 4, arbitrary: changedUrl(token.urls) },
    { weight: 1, arbitrary: changedUrl(urls) },
  );
  return fc
    .record({
      method: fc.constantFrom(...methods),
      target: url,
      destination: url,
      stray: inHundred(10, url),
      condition: inHundred(15, ifField(url)),
      depth: inHundred(60, fc.constantFrom('0', '0', '0', '1', 'infinity', 'Infinity', '2')),
      strayDepth: inHundred(10, fc.constantFrom('0', '1', 'infinity')),
      overwrite: inHundred(30, fc.constantFrom('T', 'T', 'T', 'F', 't')),
      override: inHundred(5, fc.constantFrom(...methods)),
    })
    .map(({ method, target, destination, stray, condition, depth, strayDepth, overwrite, override }) => {
      const relates = method === 'COPY' || method === 'MOVE';
      const headers = {
        Destination: relates ? destination : stray,
        If: condition,
        Depth: method === 'PROPFIND' ? depth : strayDepth,
        Overwrite: overwrite,
        'X-HTTP-Method-Override': override,
        'Lock-Token': method === 'UNLOCK' ? '<opaquelocktoken:1>' : null,
      };
      return { method, target, headers: present(headers), body: bodies[method] ?? '', scopes: token.scopes };
    });
});

const ownCases = authzCases().filter(
  (each) =>
    (each.user ?? 'alice') === 'alice' &&
    // Nothing lies outside of everything.
    !each.scope.includes('*') &&
    !`${each.target}${JSON.stringify(each.headers)}`.includes('{{'),
);

/** The authorization cases, their target and Destination changed. */
export const requestByCase: fc.Arbitrary<HostileRequest> = fc.constantFrom(...ownCases).chain((each) =>
  fc
    .record({
      method: inHundred(30, fc.constantFrom(...methods)),
      target: changedUrl([each.target]),
      destination:
        each.headers['Destination'] === undefined
          ? fc.constant(null)
          : changedUrl([each.headers['Destination']]),
    })
    .map(({ method, target, destination }) => ({
      method: method ?? each.method,
      target,
      headers: present({ ...each.headers, Destination: destination }),
      body: each.body?.startsWith('{{') === true ? '' : (each.body ?? ''),
      scopes: each.scope,
    })),
);

function present(headers: Readonly<Record<string, string | null>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null),
  );
}

/** The scopes of every token that the requests come with, and of one for everything. */
export const trialScopes: readonly (readonly string[])[] = [
  ['*'],
  ...narrow.map(({ scopes }) => scopes),
  ...new Map(ownCases.map(({ scope }) => [scope.join(' '), scope])).values(),
];
