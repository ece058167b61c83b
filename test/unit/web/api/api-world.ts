import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { Fault } from '../../../../src/core/errors.ts';
import { systemRandom } from '../../../../src/core/random.ts';
import type { AdminKeyScope } from '../../../../src/identity/admin-key-store.ts';
import { createPasswords } from '../../../../src/identity/passwords.ts';
import { createSessions } from '../../../../src/identity/sessions.ts';
import type { Role, UserRecord } from '../../../../src/identity/user-store.ts';
import type { Collections } from '../../../../src/management/collections.ts';
import { createAdminKeys } from '../../../../src/management/admin-keys.ts';
import { createAuditReading } from '../../../../src/management/audit-reading.ts';
import { createPasswordDoor } from '../../../../src/management/password-door.ts';
import { createPeopleManagement } from '../../../../src/management/people-management.ts';
import { isRefused, refused } from '../../../../src/management/refused.ts';
import type { RepeatedRequests } from '../../../../src/management/repeated-requests.ts';
import { createSessionManagement } from '../../../../src/management/session-management.ts';
import { createSignIn } from '../../../../src/management/signing-in.ts';
import { createTokenManagement } from '../../../../src/management/token-management.ts';
import { createSqliteAdminKeyStore } from '../../../../src/storage/sqlite/admin-key-store.ts';
import { createSqliteLinkStore } from '../../../../src/storage/sqlite/link-store.ts';
import { createSqlitePolicyStore } from '../../../../src/storage/sqlite/policy-store.ts';
import { createSqliteRepeatedRequests } from '../../../../src/storage/sqlite/repeated-requests.ts';
import { createSqliteSessionStore } from '../../../../src/storage/sqlite/session-store.ts';
import type { GuessLimits } from '../../../../src/tokens/guesses.ts';
import type { TokenStore } from '../../../../src/tokens/token-store.ts';
import { type ApiDeps, createApi } from '../../../../src/web/api/api.ts';
import { createWebApp } from '../../../../src/web/app.ts';
import type { WebRouter } from '../../../../src/web/context.ts';
import { csrfToken } from '../../../../src/web/csrf.ts';
import { Hono } from 'hono';
import { makeScratch } from '../../../support/scratch.ts';
import { steppedClock, type SteppedClock } from '../../../support/stepped-clock.ts';
import { openTokenWorld, type TokenWorld } from '../../../support/token-world.ts';

/** Header fields by which somebody is known. */
export type Identity = Readonly<Record<string, string>>;

/** A signed-in browser. */
export interface SignedIn {
  readonly user: UserRecord;
  readonly identity: Identity;
  readonly sessionId: string;
}

/** An answer, read whole. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON. */
  readonly json: AnyBody;
}

/** Whatever bodies hold, as far as tests look at it; what an answer does not have is undefined there. */
export interface AnyBody {
  readonly [name: string]: unknown;
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly enabled: boolean;
  readonly scopes: readonly string[];
  readonly expiresAt: string | null;
  readonly by: string;
  readonly code: string;
  readonly detail: string;
  readonly value: string;
  readonly next: string | null;
  readonly version: number;
  readonly token: AnyBody;
  readonly user: AnyBody;
  readonly session: AnyBody;
  readonly policy: AnyBody;
  readonly owner: AnyBody;
  readonly revocation: AnyBody;
  readonly details: AnyBody;
  readonly items: readonly AnyBody[];
  readonly revoked: readonly AnyBody[];
  readonly errors: readonly AnyBody[];
  readonly passwordLink: string;
}

/** What goes with a request; `json` is written as such, `text` as it is. */
export interface Sent {
  readonly json?: unknown;
  readonly text?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Identity;
}

/** The API over HTTP behind all that the site shares, on a store of its own. */
export interface ApiWorld extends TokenWorld {
  readonly url: string;
  readonly clock: SteppedClock;
  readonly repeated: RepeatedRequests;
  /** Told of by the site. */
  readonly siteFaults: readonly unknown[];
  /** Adds a user with the password "correct horse" and signs in, confirmed. */
  signedIn(name: string, role?: Role): Promise<SignedIn>;
  /** Makes an admin key and gives what it sends. */
  key(scopes?: readonly AdminKeyScope[], expiresAt?: number | null): Promise<Identity>;
  /** Asks below `/.latchkey/api`. */
  ask(method: string, path: string, identity?: Identity, sent?: Sent): Promise<Answer>;
}

/** What tests may replace. */
export interface ApiWorldOptions {
  readonly guessLimits?: GuessLimits;
  readonly wrapStore?: (store: TokenStore) => TokenStore;
  readonly wrapRepeated?: (repeated: RepeatedRequests) => RepeatedRequests;
}

/** The password of everybody in these tests. */
export const password = 'correct horse';

const address = '192.0.2.1';
const confirmationMs = 300_000;

/** Starts it; it ends with the test. */
export async function startApi(t: TestContext, options: ApiWorldOptions = {}): Promise<ApiWorld> {
  const scratch = await makeScratch('api');
  const clock = steppedClock();
  const world = await openTokenWorld({ path: scratch.file('store.db'), clock, ...options });
  const siteFaults: unknown[] = [];
  const fault = (_: string, error: unknown): void => void siteFaults.push(error);
  const parts = await openManagement(world, clock, options);
  const portal: WebRouter = new Hono();
  const app = createWebApp({
    signIn: parts.signIn,
    portal,
    api: createApi({ ...parts.deps, fault }),
    problemPage: (c, { status, detail }) => c.text(detail, status as 400),
    url: null,
    providerOrigins: [],
    fault,
  });
  const server = createServer((req, res) => {
    const { host = '' } = req.headers;
    const userAgent = req.headers['user-agent'] ?? null;
    app.handle(req, res, { address, scheme: 'http', host, userAgent, requestId: 'r1', userName: null });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    world.database.close();
    await scratch.remove();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    ...world,
    ...{ url, clock, siteFaults, repeated: parts.deps.repeated },
    async signedIn(name, role = 'user') {
      const added = await world.users.add({ name: 'test', address: null }, name, password, { role });
      if (added.kind === 'refused') throw new Error(added.detail);
      const { user } = added;
      const start = { user, source: 'local', address, userAgent: 'test', confirmed: true };
      const started = await parts.sessions.start({ ...start, signOut: null, replaces: null });
      if (started === null) throw new Error(`${start.user.name} may not sign in`);
      const { secret, session } = started;
      const identity = { Cookie: `__Host-latchkey=${secret}`, 'X-CSRF-Token': csrfToken(secret) };
      return { user, identity, sessionId: session.id };
    },
    async key(scopes = ['users', 'tokens', 'audit'], expiresAt = null) {
      const name = `key ${systemRandom(4).join('')}`;
      const made = await parts.adminKeys.create('cli:test', name, scopes, expiresAt);
      if (isRefused(made)) throw new Error(made.detail);
      return { Authorization: `Bearer ${made.value}` };
    },
    ask: (method, path, identity = {}, sent = {}) =>
      ask(`${url}/.latchkey/api${path}`, method, identity, sent),
  };
}

async function openManagement(world: TokenWorld, clock: SteppedClock, options: ApiWorldOptions) {
  const { database, userStore, users, lifecycle, guesses, peppers, tokens: tokenStore } = world;
  const policies = createSqlitePolicyStore(database);
  const limits = { idleMs: 43_200_000, maxMs: 604_800_000, confirmationMs };
  const base = { clock, randomBytes: systemRandom };
  const sessions = createSessions({ ...base, store: createSqliteSessionStore(database), limits });
  const log = { info: () => undefined, warn: () => undefined };
  const passwords = createPasswords({ concurrency: 2, queueMax: 8 });
  const passwordDoor = createPasswordDoor({
    ...{ ways: [{ kind: 'local' }], store: userStore, passwords, guesses, peppers, log },
    provisioning: { welcome: notHere },
  });
  const signIn = createSignIn({
    ...{ ways: [{ kind: 'local' }], passwordDoor, sessions, log },
    providerDoor: { begin: notHere, finish: notHere },
    linkDoor: { read: notHere, use: notHere, firstAdminLink: notHere },
    sealer: { seal: (_, text) => text, open: (_, text) => text },
  });
  const adminKeys = createAdminKeys({ ...base, store: createSqliteAdminKeyStore(database) });
  const links = createSqliteLinkStore(database);
  const deps: Omit<ApiDeps, 'fault'> = {
    tokens: createTokenManagement({ clock, lifecycle, tokens: tokenStore, users: userStore, policies }),
    people: createPeopleManagement({ ...base, users, store: userStore, links, signIn }),
    sessions: createSessionManagement({ sessions, users: userStore }),
    audit: createAuditReading({ tokens: tokenStore, users: userStore }),
    collections: someFolders,
    repeated: (options.wrapRepeated ?? ((same) => same))(createSqliteRepeatedRequests(database)),
    ...{ adminKeys, signIn, confirmationMs, clock, lifecycle, guesses, tokenStore, verifier: world.verifier },
  };
  return { deps, signIn, sessions, adminKeys };
}

/** One route with a few folders, as the backend would show them to alice alone. */
const someFolders: Collections = {
  routes: () => [{ name: 'files', path: '/dav/', host: null }],
  within: async (person, host, path) => {
    if (!host.startsWith('127.0.0.1:')) throw new Error(`asked as ${host}`);
    if (path === '/dav/broken/') throw new Fault('backend_unreachable', 'nobody listens');
    const isTheirs = path === '/dav/' && person.user.name === 'alice';
    return isTheirs ? [{ path: '/dav/Photos/', name: 'Photos' }] : refused('not_found', 'no such folder');
  },
};

const notHere = (): Promise<never> => Promise.reject(new Error('no such door in these tests'));

async function ask(url: string, method: string, identity: Identity, sent: Sent): Promise<Answer> {
  const hasBody = sent.json !== undefined || sent.text !== undefined;
  const response = await fetch(url, {
    method,
    headers: { ...identity, ...(hasBody ? { 'Content-Type': 'application/json' } : {}), ...sent.headers },
    redirect: 'manual',
    ...(hasBody ? { body: sent.text ?? JSON.stringify(sent.json) } : {}),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: parse(text) };
}

function parse(text: string): AnyBody {
  try {
    return JSON.parse(text) as AnyBody;
  } catch {
    return {} as AnyBody;
  }
}
