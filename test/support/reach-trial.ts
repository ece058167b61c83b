import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { startApache } from './apache.ts';
import { type CanaryTree, plantCanaries } from './canary-tree.ts';
import { endAll } from './end-all.ts';
import type { FolderServer } from './folder-server.ts';
import { type Gateway, route, startGateway } from './gateway.ts';
import { type HostileRequest, trialScopes } from './hostile-requests.ts';
import type { HttpMessage } from './http-message.ts';
import { field, status } from './http-message.ts';
import { startNginxDav } from './nginx-dav.ts';
import { head, openRaw, type RawConnection } from './raw-client.ts';
import { startRcloneDav } from './rclone-dav.ts';
import { gatewayPeppers, openTokenOffice } from './token-office.ts';

/** Real servers behind a real gateway, and what becomes of their files. */
export interface ReachTrial {
  /**
   * Sends a request to each server through the gateway. Says what was shown or touched that no scope of its token
   * covers, nothing where all is well; puts the files back.
   */
  attempt(request: HostileRequest): Promise<readonly string[]>;
  /** How often each server answered below 400, by its name: a trial that reaches nothing shows nothing. */
  readonly reached: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

interface Stand {
  readonly name: string;
  /** Two letters in place of `gw` in gw.example, by which the gateway finds the server. */
  readonly code: string;
  readonly server: FolderServer;
  readonly tree: CanaryTree;
}

/** What lies on each server, below `/dav/`: what tokens are for, and beside it what looks like it. */
const files = [
  ...[
    '',
    'Photos/',
    'Photos/2024/',
    'Photos/2024/deep/',
    'Photosx/',
    'photos/',
    'PHOTOS/',
    'Photos ./',
    'Photo/',
  ],
  ...[
    'Photos;x/',
    'Photos%2e/',
    'Inbox/',
    'Secret/',
    'Secret/deep/',
    '%50hotos/',
    'Ürlaub 100%/',
    'Ürlaub 100%25/',
    '../bob/Photos/',
  ],
].flatMap((folder) => ['x', 'a.jpg', '%2e%2e'].map((name) => posixJoin(`files/alice/${folder}`, name)));
const further = [
  ...[
    'files/alice/notes.txt',
    'files/alice/notes.txtx',
    'x',
    'a.jpg',
    'Secret/x',
    'Photos/x',
    'files/x',
    'Photos/a.jpg',
  ],
  ...['calendars/alice/team/1.ics', 'calendars/alice/private/9.ics', 'uploads/alice/web-1/1', 'new'],
].map((path) => path.replace('new', 'files/bob/new'));

function posixJoin(folder: string, name: string): string {
  return `${folder}${name}`.replace('alice/../', '');
}

/** The one folder that a token for the route does not reach: another route serves it, from the same backend. */
const nested = 'files/alice/Secret/';

/** The routes of one server: one for its whole folder, and a narrower one nested in it. */
export function trialRoutes(backend: string, host: string): readonly Readonly<Record<string, unknown>>[] {
  const code = host.slice(0, 2) === 'gw' ? '' : `-${host.slice(0, 2)}`;
  return [
    route({
      name: `files${code}`,
      match: { host, path: '/dav/' },
      backend,
      nodes: { table: { n1: '/dav/files/alice/Photos/2024/' } },
    }),
    route({ name: `private${code}`, match: { host, path: `/dav/${nested}` }, backend }),
  ];
}

/** Starts Apache, nginx, rclone and the gateway in front of them. */
export async function startReachTrial(): Promise<ReachTrial> {
  const servers: readonly [string, string, () => Promise<FolderServer>][] = [
    ['apache', 'ap', startApache],
    ['nginx', 'ng', startNginxDav],
    ['rclone', 'rc', startRcloneDav],
  ];
  const stands: Stand[] = [];
  for (const [name, code, start] of servers) {
    const server = await start();
    await chmod(server.folder, 0o777);
    stands.push({ name, code, server, tree: plantCanaries(server.folder, [...files, ...further]) });
  }
  const gateway = await startGateway({
    routes: stands.flatMap(({ code, server }) => trialRoutes(server.url, `${code}.example`)),
    ...gatewayPeppers,
  });
  const tokens = await mintTokens(gateway, stands);
  const reached: Record<string, number> = {};
  const lanes = new Map(stands.map((stand) => [stand, createLane(gateway.port)]));

  const attemptAt = async (stand: Stand, request: HostileRequest): Promise<readonly string[]> => {
    const sent = readdressed(request, stand.code);
    const token = tokens.get(sent.scopes.join(' ')) ?? '';
    const lane = lanes.get(stand) as Lane;
    const host = `${stand.code}.example`;
    const answer = await lane.ask(sent, token, host);
    const lock = field(answer, 'lock-token');
    if (lock !== null) {
      // Others would be refused for it.
      await lane.ask({ ...sent, method: 'UNLOCK', headers: { 'Lock-Token': lock }, body: '' }, token, host);
    }
    if (status(answer) < 400) reached[stand.name] = (reached[stand.name] ?? 0) + 1;
    const { tree } = stand;
    const covers = coverageOf(request.scopes);
    const shown = tree.shownBy(answer).filter((path) => !covers(path, 'r'));
    const complaints = shown.map((path) => `${stand.name} shows ${path}`);
    if (harmless.has(request.method)) return complaints;
    const { touched, carried } = tree.changes();
    if (touched.length === 0) return complaints;
    tree.mend();
    return [
      ...complaints,
      ...touched.filter((path) => !covers(path, 'w')).map((path) => `${stand.name} touches ${path}`),
      ...carried
        .filter((path) => !covers(path, 'r') && !(request.method === 'MOVE' && covers(path, 'w')))
        .map((path) => `${stand.name} carries ${path} off`),
    ];
  };
  return {
    reached,
    async attempt(request) {
      return (await Promise.all(stands.map((stand) => attemptAt(stand, request)))).flat();
    },
    stop: () =>
      endAll(
        ...[...lanes.values()].map((lane) => () => lane.close()),
        () => gateway.stop(),
        ...stands.map(
          ({ server }) =>
            () =>
              server.stop(),
        ),
      ),
  };
}

/** By scopes; made in this process, as a command of its own for each would take minutes. */
async function mintTokens(gateway: Gateway, stands: readonly Stand[]): Promise<ReadonlyMap<string, string>> {
  const office = await openTokenOffice(join(gateway.dataDir, 'latchkey.db'), null);
  const tokens = new Map<string, string>();
  try {
    for (const scopes of stands.flatMap(({ code }) => trialScopes.map((each) => ownRoutes(each, code)))) {
      tokens.set(scopes.join(' '), (await office.mint('alice', { scopes })).secret);
    }
  } finally {
    await office.close();
  }
  return tokens;
}

const harmless = new Set(['GET', 'HEAD', 'OPTIONS', 'PROPFIND']);

interface Grant {
  readonly place: string;
  readonly access: string;
  readonly except: string | null;
}

/** Whether these scopes cover a file or folder (whose path ends with a slash) of the tree: read without any of our code. */
function coverageOf(scopes: readonly string[]): (path: string, need: 'r' | 'w') => boolean {
  const granted = scopes.flatMap((scope): Grant[] => {
    const [, kind = '', name = '', access = ''] = /^(\w+):(.*):(\w+)$/.exec(scope) ?? [];
    if (kind === 'route') return [{ place: '', access, except: nested }];
    const path = kind === 'node' ? '/dav/files/alice/Photos/2024/' : name.replace('{user}', 'alice');
    return path.startsWith('/dav/')
      ? [{ place: decodeURIComponent(path).slice(5), access, except: null }]
      : [];
  });
  return (path, need) =>
    granted.some(({ place, access, except }) => {
      if (!access.includes(need) || (except !== null && path.startsWith(except))) return false;
      const isFolder = place === '' || place.endsWith('/');
      return isFolder ? path.length > place.length && path.startsWith(place) : path === place;
    });
}

/** The same request to another host and its routes. */
function readdressed(request: HostileRequest, code: string): HostileRequest {
  const move = (text: string): string =>
    text.replace(/gw(?=\.example)/gi, (letters) => (letters === 'gw' ? code : code.toUpperCase()));
  return {
    ...request,
    target: move(request.target),
    headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, move(value)])),
    body: move(request.body),
    scopes: ownRoutes(request.scopes, code),
  };
}

function ownRoutes(scopes: readonly string[], code: string): readonly string[] {
  return scopes.map((scope) => scope.replace(/^route:files:/, `route:files-${code}:`));
}

interface Lane {
  ask(request: HostileRequest, token: string, host: string): Promise<HttpMessage>;
  close(): Promise<void>;
}

const requestsPerConnection = 100;

/** One connection after the other, each for many requests. */
function createLane(port: number): Lane {
  let raw: RawConnection | null = null;
  let used = 0;
  const close = (): Promise<void> => {
    raw?.destroy();
    raw = null;
    return Promise.resolve();
  };
  return {
    close,
    async ask({ method, target, headers, body }, token, host) {
      if (raw === null || raw.isClosed() || used === requestsPerConnection) {
        await close();
        raw = await openRaw(port);
        used = 0;
      }
      used++;
      const fields = Object.entries({ Authorization: `Bearer ${token}`, ...headers });
      if (body !== '') fields.push(['Content-Length', String(Buffer.byteLength(body))]);
      const text = head(
        method,
        target,
        fields.map(([name, value]) => `${name}: ${value}`),
      );
      await raw.send(
        Buffer.concat([
          Buffer.from(text.replace('Host: gw.example', `Host: ${host}`), 'latin1'),
          Buffer.from(body),
        ]),
        method,
      );
      for (;;) {
        const answer = await raw.nextResponse(5_000);
        if (status(answer) < 200) continue;
        if (answer.fields.some(([name, value]) => name.toLowerCase() === 'connection' && value === 'close'))
          await close();
        return answer;
      }
    },
  };
}
