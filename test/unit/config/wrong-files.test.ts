import assert from 'node:assert/strict';
import { test } from 'node:test';
import { oneRoute, problems } from './in-memory-sources.ts';

/** What is written, and every line that is reported. */
interface Golden {
  readonly title: string;
  readonly yaml: string;
  readonly expected: readonly string[];
}

const backend = 'backend: http://127.0.0.1:8008\n';

const yamlSyntax: readonly Golden[] = [
  {
    title: 'a bracket that is never closed',
    yaml: `${backend}listen: [1\nlog: {}`,
    expected: [
      'latchkey.yaml:3:1: not readable as YAML: Flow sequence in block collection must be sufficiently indented and end with a ].',
    ],
  },
  {
    title: 'the same key twice',
    yaml: `${backend}store: sqlite:./a\nstore: sqlite:./b`,
    expected: ['latchkey.yaml:3:1: not readable as YAML: Map keys must be unique.'],
  },
  {
    title: 'two documents in one file',
    yaml: `---\n${backend}---\n${backend}`,
    expected: [
      'latchkey.yaml:3:1: not readable as YAML: the file holds several documents (---), and one is expected.',
    ],
  },
  {
    title: 'an unquoted password that YAML takes for an alias is not repeated',
    yaml: `${backend}assertionKey: *hunter2`,
    expected: [
      'latchkey.yaml:2:15: not readable as YAML: an alias (*) without its anchor (&); put text that starts with * in quotes.',
    ],
  },
  {
    title: 'an unknown tag',
    yaml: `${backend}dataDir: !path ./data`,
    expected: ['latchkey.yaml:2:10: not readable as YAML: Unresolved tag.'],
  },
  {
    title: 'an alias within its own anchor',
    yaml: 'routes: &r [*r]',
    expected: ['latchkey.yaml:1:1: not readable as YAML: an alias contains itself.'],
  },
];

const shapes: readonly Golden[] = [
  {
    title: 'an unknown key near a known one',
    yaml: `${backend}lisen: { port: 1 }`,
    expected: ['latchkey.yaml:2:1: lisen: is not known; did you mean listen?'],
  },
  {
    title: 'an unknown key near nothing',
    yaml: `${backend}log:\n  colour: red`,
    expected: ['latchkey.yaml:3:3: log.colour: is not known; known here: level, access'],
  },
  {
    title: 'an unknown key deep in a route',
    yaml: oneRoute('identity: { users: X-User }'),
    expected: ['latchkey.yaml:4:17: routes[0].identity.users: is not known; did you mean user?'],
  },
  {
    title: 'an unknown key in a choice',
    yaml: oneRoute('accept: [basic, { heder: apiToken }]'),
    expected: ['latchkey.yaml:4:23: routes[0].accept[1].heder: is not known; did you mean header?'],
  },
  {
    title: 'a list where a map belongs',
    yaml: `${backend}listen: [8080]`,
    expected: ['latchkey.yaml:2:9: listen: must be a map of keys and values'],
  },
  {
    title: 'a scalar as the whole file',
    yaml: 'hello',
    expected: [
      'latchkey.yaml:1:1: the file must be a map of keys and values in UTF-8, such as: backend: http://127.0.0.1:8008',
    ],
  },
  {
    title: 'a file in UTF-16',
    yaml: '\uFFFD\uFFFDb\0a\0c\0k\0e\0n\0d\0:\0 \0x\0',
    expected: [
      'latchkey.yaml:1:1: the file must be a map of keys and values in UTF-8, such as: backend: http://127.0.0.1:8008',
    ],
  },
  {
    title: 'a key left empty',
    yaml: `${backend}redis:\n`,
    expected: ['latchkey.yaml:2:7: redis: is empty; give it a value, or remove the line'],
  },
  {
    title: 'a route without its name and backend',
    yaml: 'routes:\n  - kind: rest',
    expected: [
      'latchkey.yaml:2:5: routes[0].name: is missing',
      'latchkey.yaml:2:5: routes[0].backend: is missing',
    ],
  },
  {
    title: 'no routes in the list',
    yaml: 'routes: []',
    expected: ['latchkey.yaml:1:9: routes: must hold at least one route'],
  },
  {
    title: 'nothing at all',
    yaml: '',
    expected: [
      'no backend is known: start with --backend http://HOST:PORT, set LATCHKEY_BACKEND, or write routes into the file',
    ],
  },
];

const values: readonly Golden[] = [
  {
    title: 'a port out of range, a port that is text',
    yaml: `${backend}listen: { port: 65536 }\nadmin: { port: http }`,
    expected: [
      'latchkey.yaml:2:17: listen.port: must be a whole number from 0 to 65535',
      'latchkey.yaml:3:16: admin.port: must be a whole number from 0 to 65535',
    ],
  },
  {
    title: 'a choice that does not exist',
    yaml: oneRoute('kind: webdv'),
    expected: ['latchkey.yaml:4:11: routes[0].kind: must be webdav, caldav or rest'],
  },
  {
    title: 'durations and sizes without sense',
    yaml: `${backend}limits:\n  head: 30 sec\n  idle: 1ms\n  spool: 10XB\n  drain: -1`,
    expected: [
      'latchkey.yaml:3:9: limits.head: must be a duration such as 30s, 5m or a number of milliseconds',
      'latchkey.yaml:4:9: limits.idle: must be between 1s and 1d',
      'latchkey.yaml:5:10: limits.spool: must be a size such as 512KiB, 10GiB or a number of bytes',
      'latchkey.yaml:6:10: limits.drain: must be a duration such as 30s, 5m or a number of milliseconds',
    ],
  },
  {
    title: 'numbers that were meant to have a unit',
    yaml: `${backend}limits:\n  head: 30\n  spool: "10"\naudit: { keep: 400 }`,
    expected: [
      'latchkey.yaml:3:9: limits.head: must be between 1s and 1h; 30 without a unit is 30ms',
      'latchkey.yaml:4:10: limits.spool: must be between 1KiB and 1024TiB; 10 without a unit is 10B',
      'latchkey.yaml:5:16: audit.keep: must be between 1d and 36500d; 400 without a unit is 400ms',
    ],
  },
  {
    title: 'more connections per client than in all',
    yaml: `${backend}limits: { connections: 100, connectionsPerClient: 200 }`,
    expected: [
      'latchkey.yaml:2:51: limits.connectionsPerClient: is more than limits.connections (100), so it limits nobody; lower it, or raise that',
    ],
  },
  {
    title: 'a store in memory, and one that is no store',
    yaml: `${backend}store: "sqlite::memory:"`,
    expected: [
      'latchkey.yaml:2:8: store: must name a file: tokens kept in memory would not survive a restart',
    ],
  },
  {
    title: 'trusted proxies that are no addresses',
    yaml: `${backend}trustedProxies: [10.0.0.0/33, proxy.example.org, 10.0.0.1, "::1/129"]`,
    expected: [0, 1, 3].map(
      (index) =>
        `latchkey.yaml:2:${[18, 31, 60][[0, 1, 3].indexOf(index)]}: trustedProxies[${index}]: must be an address or a CIDR block, such as 10.0.0.0/8 or fd00::/8`,
    ),
  },
  {
    title: 'both listeners on one port',
    yaml: `${backend}admin: { port: 8080 }`,
    expected: ['latchkey.yaml:2:16: admin.port: is 8080, which is the port for clients too; choose another'],
  },
  {
    title: 'a backend that is the gateway itself',
    yaml: 'backend: [http://127.0.0.1:8008, http://localhost:8080]',
    expected: [
      'latchkey.yaml:1:34: backend[1]: is where the gateway itself listens (port 8080); choose another port with listen.port or --port',
    ],
  },
  {
    title: 'a backend at the only address that the gateway listens on',
    yaml: 'listen: { host: "::1", port: 81 }\nroutes: [{ name: a, backend: "http://[::1]:81" }]',
    expected: [
      'latchkey.yaml:2:30: routes[0].backend: is where the gateway itself listens (port 81); choose another port with listen.port or --port',
    ],
  },
  {
    title: 'an IPv4 proxy in IPv6 clothes',
    yaml: `${backend}trustedProxies: ["::ffff:10.0.0.1"]`,
    expected: [
      'latchkey.yaml:2:18: trustedProxies[0]: must be written as an IPv4 address: peers are compared without ::ffff:',
    ],
  },
  {
    title: 'Redis without sense',
    yaml: `${backend}redis: http://127.0.0.1:6379`,
    expected: [
      'latchkey.yaml:2:8: redis: must be a URL such as redis://127.0.0.1:6379 or rediss://redis.example.org:6380/0',
    ],
  },
  {
    title: 'Redis that is no Sentinel, with what Sentinels ask for',
    yaml: `${backend}redis: { nodes: ["a:1"], sentinelUsername: u, sentinelPassword: hunter2 }`,
    expected: [
      'latchkey.yaml:2:44: redis.sentinelUsername: means nothing unless mode is sentinel',
      'latchkey.yaml:2:65: redis.sentinelPassword: must be {fromFile: PATH} or {fromEnv: NAME}, one of them; a secret itself does not belong into this file',
      'latchkey.yaml:2:65: redis.sentinelPassword: means nothing unless mode is sentinel',
    ],
  },
  {
    title: 'Redis Sentinel with a user but no password',
    yaml: `${backend}redis: { mode: sentinel, nodes: ["a:1"], sentinelName: m, sentinelUsername: u }`,
    expected: ['latchkey.yaml:2:77: redis.sentinelUsername: means nothing without sentinelPassword'],
  },
  {
    title: 'Redis as a map whose parts contradict each other',
    yaml: `${backend}redis: { mode: sentinel, nodes: ["a:1", "b"] }`,
    expected: [
      'latchkey.yaml:2:8: redis.sentinelName: is missing: sentinels must be told which master to look for',
      'latchkey.yaml:2:41: redis.nodes[1]: must be host:port, such as 10.0.0.5:26379',
    ],
  },
  {
    title: 'a cluster with a database, a single server with two addresses',
    yaml: `${backend}redis: { mode: cluster, nodes: ["a:1"], database: 3 }`,
    expected: ['latchkey.yaml:2:51: redis.database: must be 0: a cluster has no other'],
  },
  {
    title: 'addresses to listen on in brackets',
    yaml: `${backend}listen: { host: "[::1]" }\nadmin: { host: "[::1" }`,
    expected: [
      'latchkey.yaml:2:17: listen.host: must be an address without brackets: ::1',
      'latchkey.yaml:3:16: admin.host: must be an address or a host name, such as 127.0.0.1; leave it out to listen everywhere',
    ],
  },
  {
    title: 'two peppers of one name',
    yaml: `${backend}peppers:\n  - { id: a, secret: { fromEnv: A } }\n  - { id: a, secret: { fromEnv: B } }`,
    expected: [
      'latchkey.yaml:4:11: peppers[1].id: is the id of pepper 1 already; every pepper needs its own',
    ],
  },
];

const routes: readonly Golden[] = [
  {
    title: 'backend URLs with a path, credentials, a query, another scheme',
    yaml: [
      'routes:',
      '  - name: a',
      '    match: { path: /a/ }',
      '    backend:',
      '      - http://127.0.0.1/dav',
      '      - http://user:hunter2@127.0.0.1',
      '      - ftp://127.0.0.1',
      '      - http://127.0.0.1/?q=1',
      '      - 7',
    ].join('\n'),
    expected: [
      'latchkey.yaml:5:9: routes[0].backend[0]: must end after host and port: requests keep their own paths, because WebDAV answers name them; serve the backend under the same path as the route',
      'latchkey.yaml:6:9: routes[0].backend[1]: must not hold credentials; use backendAuth with {fromFile} or {fromEnv} instead',
      'latchkey.yaml:7:9: routes[0].backend[2]: must be a URL that starts with http:// or https://, or unix: and the path of a socket',
      'latchkey.yaml:8:9: routes[0].backend[3]: must end after host and port: requests keep their own paths, because WebDAV answers name them; serve the backend under the same path as the route',
      'latchkey.yaml:9:9: routes[0].backend[4]: must be text (put it in quotes if it looks like a number)',
    ],
  },
  {
    title: 'route names and paths that cannot be',
    yaml: 'routes:\n  - name: My Files\n    match: { path: dav }\n    backend: http://a\n  - name: b\n    match: { path: /x/../y/ }\n    backend: http://a',
    expected: [
      'latchkey.yaml:2:11: routes[0].name: must be lower-case letters, digits and hyphens, such as files',
      'latchkey.yaml:3:20: routes[0].match.path: must end with a slash: it names a folder and all below it',
      'latchkey.yaml:6:20: routes[1].match.path: is not an acceptable path: it has a . or .. segment',
    ],
  },
  {
    title: 'two routes of one name, and for one host and path',
    yaml: 'routes:\n  - { name: a, backend: "http://a", match: { path: /x/, host: H.example } }\n  - { name: a, backend: "http://b", match: { path: /x/, host: h.example } }',
    expected: [
      'latchkey.yaml:3:13: routes[1].name: is the name of route 1 already; every route needs its own',
      'latchkey.yaml:3:44: routes[1].match: takes the same host and path as route 1; change one of them',
    ],
  },
  {
    title: 'identity in headers that mean something else, or twice',
    yaml: oneRoute(
      'identity:',
      '  user: Authorization',
      '  assertion: X_Assertion',
      '  headers:',
      '    Host: "{user}"',
      '    X-A: "{usr}"',
      '    X-B: "{user"',
      '    x-a: ok',
    ),
    expected: [
      'latchkey.yaml:5:13: routes[0].identity.user: Authorization has a meaning of its own in HTTP or WebDAV; use another name, such as X-Remote-User',
      'latchkey.yaml:6:18: routes[0].identity.assertion: must not hold an underscore: many servers take _ and - for the same; use a hyphen',
      'latchkey.yaml:8:9: routes[0].identity.headers.Host: Host has a meaning of its own in HTTP or WebDAV; use another name, such as X-Remote-User',
      'latchkey.yaml:9:14: routes[0].identity.headers.X-A: {usr} is not known here; known: {user} {userId} {tokenId} {route}',
      'latchkey.yaml:10:14: routes[0].identity.headers.X-B: has a brace without its partner; known: {user} {userId} {tokenId} {route}',
      'latchkey.yaml:11:14: routes[0].identity.headers.x-a: x-a is used by identity.headers.X-A already; choose another header',
    ],
  },
  {
    title: 'ways to send a token that cannot be',
    yaml: oneRoute(
      'mainPassword: allow',
      'accept: [bearer, digest, { query: "a b" }, { header: Cookie }, bearer]',
    ),
    expected: [
      'latchkey.yaml:4:19: routes[0].mainPassword: cannot be allow without basic in accept: passwords come by Basic authentication only',
      'latchkey.yaml:5:22: routes[0].accept[1]: must be basic, bearer, {header: NAME} or {query: NAME}',
      'latchkey.yaml:5:39: routes[0].accept[2].query: must be a query parameter of letters, digits and _ . ~ -, such as session',
      'latchkey.yaml:5:58: routes[0].accept[3].header: Cookie has a meaning of its own in HTTP or WebDAV; use another name, such as X-Remote-User',
      'latchkey.yaml:5:68: routes[0].accept[4]: stands twice; remove one',
    ],
  },
  {
    title: 'secrets written into the file',
    yaml: `${oneRoute('backendAuth: { sharedSecret: hunter2 }')}\npeppers: [{ id: a, secret: hunter2 }]\nassertionKey: hunter2\nredis: redis://:hunter2@127.0.0.1`,
    expected: [
      'latchkey.yaml:4:34: routes[0].backendAuth.sharedSecret: must be {fromFile: PATH} or {fromEnv: NAME}, one of them; a secret itself does not belong into this file',
      'latchkey.yaml:5:28: peppers[0].secret: must be {fromFile: PATH} or {fromEnv: NAME}, one of them; a secret itself does not belong into this file',
      'latchkey.yaml:6:15: assertionKey: must be {fromFile: PATH} or {fromEnv: NAME}, one of them; a secret itself does not belong into this file',
      'latchkey.yaml:7:8: redis: must not hold a password: write redis as a map with nodes and password: {fromFile: PATH}, or set LATCHKEY_REDIS',
    ],
  },
  {
    title: 'a secret from two places, a service account without its parts',
    yaml: oneRoute('backendAuth: { serviceAccount: { user: "a:b", password: { fromEnv: A, fromFile: b } } }'),
    expected: [
      'latchkey.yaml:4:44: routes[0].backendAuth.serviceAccount.user: must be a user name without colon or control character',
      'latchkey.yaml:4:61: routes[0].backendAuth.serviceAccount.password: must be {fromFile: PATH} or {fromEnv: NAME}, one of them; a secret itself does not belong into this file',
    ],
  },
  {
    title: 'folders outside of their route, variables that are not known',
    yaml: oneRoute(
      'match: { path: /dav/ }',
      'uploads: /other/{user}/',
      'nodes: { table: { 6ba7b810-9dad-41d1-80b4-00c04fd430c8: /x/, a/b: /dav/y/ } }',
    ),
    expected: [
      'latchkey.yaml:5:14: routes[0].uploads: lies outside of this route, which serves /dav/',
      'latchkey.yaml:6:61: routes[0].nodes.table["6ba7b810-9dad-41d1-80b4-00c04fd430c8"]: lies outside of this route, which serves /dav/',
      'latchkey.yaml:6:66: routes[0].nodes.table["a/b"]: must be one identifier without slashes, such as 6ba7b810-9dad-41d1-80b4-00c04fd430c8',
    ],
  },
  {
    title: 'a node template without its variable',
    yaml: oneRoute('nodes: { template: /spaces/ }', 'host: "a b"', 'backendOrigin: https://h/p'),
    expected: [
      'latchkey.yaml:4:24: routes[0].nodes.template: must hold {node} once',
      'latchkey.yaml:5:11: routes[0].host: must be preserve, backend or a host name',
      'latchkey.yaml:6:20: routes[0].backendOrigin: must end after host and port: requests keep their own paths, because WebDAV answers name them; serve the backend under the same path as the route',
    ],
  },
  {
    title: 'a certificate authority for a backend without TLS',
    yaml: oneRoute('backendCa: { fromFile: ca.pem }'),
    expected: [
      'latchkey.yaml:4:16: routes[0].backendCa: means nothing here: no backend of this route starts with https://',
    ],
  },
  {
    title: 'backend beside routes',
    yaml: `backend: http://127.0.0.1:1\n${oneRoute()}`,
    expected: [
      'latchkey.yaml:1:10: backend: cannot stand together with routes: it is short for a single route; name the backend in a route instead',
    ],
  },
];

for (const { title, yaml, expected } of [...yamlSyntax, ...shapes, ...values, ...routes]) {
  test(`a file is refused with its lines: ${title}`, () => {
    assert.deepEqual(problems({ yaml }), expected);
  });
}
