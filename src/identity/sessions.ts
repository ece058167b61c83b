import type { Clock } from '../core/clock.ts';
import { Fault } from '../core/errors.ts';
import type { SessionId, UserId } from '../core/ids.ts';
import { printable } from '../core/printable.ts';
import type { RandomBytes } from '../core/random.ts';
import { uuidV7 } from '../core/uuid.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import { digestSecret, isSecretShaped, mintSecret } from './random-secret.ts';
import type { OwnedSession, SessionRecord, SessionStore } from './session-store.ts';
import { isShutOut, type UserRecord } from './user-store.ts';

const clientCharsMax = 200;
const touchMs = 60_000;
/** A clock set back by no more than this takes no confirmation away. */
const skewMs = 60_000;

/** How long sessions live, milliseconds. */
export interface SessionLimits {
  /** Without a request for this long, a session is over. */
  readonly idleMs: number;
  /** From sign-in on, whatever happens. */
  readonly maxMs: number;
  /** So long a proof of presence counts. */
  readonly confirmationMs: number;
}

/** What is known of a sign-in when its session starts. */
export interface SessionStart {
  readonly user: UserRecord;
  /** Who vouched for the user: `localSource` or a configured one. */
  readonly source: string;
  readonly address: string;
  readonly userAgent: string | null;
  /** Whether the person has just proved to be there, by password or at the provider. */
  readonly confirmed: boolean;
  /** What the provider wants to hear at sign-out, sealed; null where nothing. */
  readonly signOut: string | null;
  /** The secret that this browser came with, whoever's it was: that session ends. Null where there was none. */
  readonly replaces: string | null;
}

/** A session just made: the secret goes into the cookie and nowhere else. */
export interface StartedSession {
  readonly secret: string;
  readonly session: SessionRecord;
}

/** Who ends a session, for the audit trail. */
export interface SessionActor {
  readonly name: string;
  readonly address: string;
}

/** Makes and judges browser sessions. Every method rejects with `Fault('store_unavailable')` where the store cannot be asked. */
export interface Sessions {
  /**
   * A new id and secret at every sign-in, so that nobody can prepare one for somebody else. Null where the user is shut
   * out or has chosen another password since it was read.
   */
  start(start: SessionStart): Promise<StartedSession | null>;
  /**
   * The session of a cookie with its user, or null: unknown, over, idle too long, user shut out. Notes that it was seen,
   * and from where, at most once a minute.
   */
  recognise(secret: string, address: string): Promise<OwnedSession | null>;
  /** Whether the last proof of presence is recent enough to change things. */
  isConfirmed(session: SessionRecord): boolean;
  /** Notes a proof of presence; null where the session has ended meanwhile. */
  confirm(session: SessionRecord): Promise<SessionRecord | null>;
  /** Keeps what the person was about to do; false where the session has ended meanwhile. */
  keepDraft(session: SessionRecord, draft: string | null): Promise<boolean>;
  /** Those that count, most recently seen first. */
  listOf(userId: UserId): Promise<readonly SessionRecord[]>;
  /** Ends one session of this user; null where the user has none of this id. */
  end(actor: SessionActor, userId: UserId, id: SessionId): Promise<SessionRecord | null>;
  /** Ends all of a user but `except`; resolves to how many. */
  endAll(actor: SessionActor, userId: UserId, except: SessionId | null): Promise<number>;
}

interface SessionsDeps {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  readonly limits: SessionLimits;
}

/** See `Sessions`. */
export function createSessions(deps: SessionsDeps): Sessions {
  const { store, clock, limits } = deps;
  const find = async (secret: string): Promise<OwnedSession | null> =>
    isSecretShaped(secret) ? store.findByDigest(digestSecret(secret)) : null;

  return {
    async start(start) {
      const secret = mintSecret(deps.randomBytes);
      const session = newSession(deps, start, secret);
      const replaced = start.replaces === null ? null : await find(start.replaces);
      const { source, client } = session;
      const event = sessionEvent('session.start', deps, actorOf(start), start.user.id, { source, client });
      const isThere = await store.insert(session, replaced?.session.id ?? null, event, start.user);
      return isThere ? { secret, session } : null;
    },
    async recognise(secret, address) {
      const owned = await find(secret);
      const now = clock.now();
      if (owned === null || !counts(owned, limits, now)) return null;
      // Also where the clock was set back: else the session would seem fresh until it has caught up.
      if (Math.abs(now - owned.session.seenAt) < touchMs) return owned;
      const seen = { seenAt: now, address };
      const isThere = await touched(store, owned.session.id, seen);
      if (isThere === null) return owned;
      return isThere ? { ...owned, session: { ...owned.session, ...seen } } : null;
    },
    isConfirmed({ confirmedAt }) {
      if (confirmedAt === null) return false;
      const age = clock.now() - confirmedAt;
      return age < limits.confirmationMs && age >= -skewMs;
    },
    async confirm(session) {
      const confirmedAt = clock.now();
      return (await store.touch(session.id, { confirmedAt })) ? { ...session, confirmedAt } : null;
    },
    keepDraft: (session, draft) => store.touch(session.id, { draft }),
    listOf: (userId) => store.listOf(userId, clock.now(), clock.now() - limits.idleMs),
    end: (actor, userId, id) =>
      store.end(id, userId, sessionEvent('session.end', deps, actor, userId, { session: id })),
    endAll: (actor, userId, except) =>
      store.endAll(userId, except, sessionEvent('session.end_all', deps, actor, userId, { except })),
  };
}

/** Null where it cannot be written down: the session then ends sooner, and until then people can still see their tokens. */
async function touched(
  store: SessionStore,
  ...what: Parameters<SessionStore['touch']>
): Promise<boolean | null> {
  try {
    return await store.touch(...what);
  } catch (error) {
    if (error instanceof Fault) return null;
    throw error;
  }
}

/** Judged anew with every request: nothing of a session is cached. */
function counts({ session, user }: OwnedSession, { idleMs }: SessionLimits, now: number): boolean {
  return now < session.endsAt && now - session.seenAt < idleMs && !isShutOut(user);
}

function newSession({ clock, randomBytes, limits }: SessionsDeps, start: SessionStart, secret: string) {
  const now = clock.now();
  return {
    id: uuidV7(now, randomBytes) as SessionId,
    userId: start.user.id,
    secretDigest: digestSecret(secret),
    source: start.source,
    createdAt: now,
    seenAt: now,
    endsAt: now + limits.maxMs,
    confirmedAt: start.confirmed ? now : null,
    address: start.address,
    client: start.userAgent === null ? null : printable(start.userAgent).slice(0, clientCharsMax),
    draft: null,
    signOut: start.signOut,
  };
}

function actorOf({ user, address }: SessionStart): SessionActor {
  return { name: `user:${user.name}`, address };
}

function sessionEvent(
  action: string,
  { clock }: SessionsDeps,
  { name, address }: SessionActor,
  userId: UserId,
  details: AuditEvent['details'],
): AuditEvent {
  const facts = { address, ...details };
  return { at: clock.now(), action, actor: name, userId, tokenId: null, details: facts };
}
