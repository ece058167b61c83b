import type { Change } from '../core/change.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { AuditEvent } from '../telemetry/audit.ts';
import type { Standing } from './source.ts';
import { isShutOut, type UserGuard, type UserPatch, type UserRecord, type UserStore } from './user-store.ts';

/** Asked about at a time; together with `pauseMs` this bounds what a source is asked. */
const portion = 25;
/** From the beginning of one portion to that of the next. */
const pauseMs = 500;
/** Answers without a verdict in a row after which a source is left alone until the next round. */
const unknownMax = 3;

/** A source as far as it is asked about its users. */
export interface CheckedSource {
  readonly kind: 'htpasswd' | 'ldap' | 'oidc';
  readonly name: string;
  standing(user: { readonly subject: string; readonly grant: string | null }): Promise<Standing>;
}

/** Asks sources whether their users still stand. */
export interface SourceCheck {
  /**
   * Asks about everybody who was not asked about for the interval, at most 50 a second for each source; resolves when
   * that is done, or a source does not answer. Never rejects.
   */
  round(): Promise<void>;
  /** A round under way ends after its portion. */
  stop(): void;
}

interface SourceCheckDeps {
  readonly sources: readonly CheckedSource[];
  readonly store: Pick<UserStore, 'claimForCheck' | 'recordCheck' | 'change'>;
  /** Makes a committed change known to this process and others. */
  readonly announce: (changes: readonly Change[]) => Promise<void>;
  readonly sealGrant: (grant: string) => string;
  /** Null for what cannot be opened any more. */
  readonly openGrant: (sealed: string) => string | null;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  /** Whoever was not asked about for this long is asked about. */
  readonly dueMs: number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** See `SourceCheck`. A source that cannot be asked changes nothing. */
export function createSourceCheck(deps: SourceCheckDeps): SourceCheck {
  const { store, clock, log } = deps;
  let isStopped = false;

  async function change(user: UserRecord, patch: UserPatch, action: string, guard: UserGuard): Promise<void> {
    const event: AuditEvent = {
      ...{ at: clock.now(), action, actor: `source:${user.source}` },
      ...{ userId: user.id, tokenId: null, details: { ...patch } },
    };
    const changed = await store.change(user.id, patch, event, { guard });
    if (changed === null) return;
    await deps.announce([{ kind: 'user', userId: changed.id, version: changed.version }]);
    log.info({ userId: user.id, source: user.source, ...patch }, 'a source says otherwise of a user by now');
  }

  /** False where the source was asked and did not say. */
  async function ask(source: CheckedSource, user: UserRecord): Promise<boolean> {
    const grant = user.sourceGrant === null ? null : deps.openGrant(user.sourceGrant);
    // Only a sign-in ends what is lapsed, and without a grant a provider cannot be asked.
    if (isShutOut(user) || (source.kind === 'oidc' && grant === null)) return true;
    const standing = await source.standing({ subject: user.subject ?? '', grant });
    if (standing.kind === 'gone') {
      // Who has signed in meanwhile stands: the question was about a grant of before.
      const isStill: UserGuard = (now) => !now.lapsed && now.sourceGrant === user.sourceGrant;
      await change(user, { lapsed: true }, 'user.lapse', isStill);
      return true;
    }
    if (standing.grant !== undefined) {
      await store.recordCheck(user.id, clock.now(), deps.sealGrant(standing.grant));
    }
    if (standing.kind === 'unknown') return false;
    const role = standing.isAdmin === true ? 'admin' : 'user';
    if (typeof standing.isAdmin === 'boolean' && role !== user.role) {
      await change(user, { role }, 'user.role', (now) => now.role !== role);
    }
    return true;
  }

  /** False where the source does not answer: whoever was not asked about then is due again. */
  async function askAll(source: CheckedSource, users: readonly UserRecord[]): Promise<boolean> {
    let unknown = 0;
    for (const user of users) {
      if (unknown === unknownMax) await store.recordCheck(user.id, user.sourceCheckedAt ?? 0);
      else if (await ask(source, user)) unknown = 0;
      else unknown++;
    }
    return unknown < unknownMax;
  }

  async function check(source: CheckedSource): Promise<void> {
    for (;;) {
      const began = clock.monotonic();
      const now = clock.now();
      const users = await store.claimForCheck(source.name, now - deps.dueMs, portion, now);
      const answers = await askAll(source, users);
      if (!answers)
        log.warn({ source: source.name }, 'a source does not say who still stands: nothing changes');
      if (!answers || users.length < portion || isStopped) return;
      await deps.sleep(Math.max(0, pauseMs - (clock.monotonic() - began)));
    }
  }

  return {
    async round() {
      for (const source of deps.sources) {
        if (isStopped) return;
        try {
          await check(source);
        } catch (error) {
          log.warn(
            { error, source: source.name },
            'users of a source could not be checked; tried again soon',
          );
        }
      }
    },
    stop() {
      isStopped = true;
    },
  };
}
