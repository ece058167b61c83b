import type { Clock } from '../core/clock.ts';
import type { RedirectSource, SourceIdentity } from '../identity/source.ts';
import type { UserRecord, UserStore } from '../identity/user-store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Provisioning } from './provisioning.ts';

/** How long a sign-in at a provider may take: the browser has to be back by then. */
export const pendingMs: number = 10 * 60_000;

/** Somebody a provider vouches for. */
export interface ProviderGuest {
  readonly user: UserRecord;
  /** What the provider wants to hear at sign-out, not sealed; null where nothing. */
  readonly signOut: string | null;
}

/** The way to providers and back. Rejects with `Fault('sign_in_unavailable')` where a provider cannot be asked. */
export interface ProviderDoor {
  /** Null where there is no such source. `fresh`: the person has to be asked anew, as for a confirmation. */
  begin(
    source: string,
    callbackUrl: string,
    fresh: boolean,
  ): Promise<{ readonly url: string; readonly pending: string } | null>;
  /**
   * Null where what came back cannot be believed, comes later than `pendingMs`, or is nobody who may come in. `confirming`:
   * who has to prove to be there; then it is null for everybody else, and for what was not begun as `fresh`.
   */
  finish(
    source: string,
    currentUrl: string,
    pending: string,
    confirming: UserRecord | null,
  ): Promise<ProviderGuest | null>;
}

interface ProviderDoorDeps {
  readonly sources: readonly RedirectSource[];
  readonly store: Pick<UserStore, 'findBySubject'>;
  readonly provisioning: Provisioning;
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** What goes with the browser, sealed, until it is back. */
interface Pending {
  readonly source: string;
  readonly fresh: boolean;
  readonly begunAt: number;
  /** The source's own. */
  readonly inner: string;
}

/** See `ProviderDoor`. */
export function createProviderDoor(deps: ProviderDoorDeps): ProviderDoor {
  const { sources, clock, log, store } = deps;
  const find = (name: string): RedirectSource | null => sources.find((each) => each.name === name) ?? null;

  function refuse(source: string, reason: string): null {
    log.info({ source, reason }, 'sign-in refused after the return from the provider');
    return null;
  }

  /** A confirmation changes nothing but that the same person is known to be there. */
  async function same(confirming: UserRecord, source: string, identity: SourceIdentity) {
    const user = await store.findBySubject(source, identity.subject);
    if (user?.id === confirming.id) return { user, signOut: identity.signOut };
    return refuse(source, 'somebody else signed in to confirm');
  }

  return {
    async begin(name, callbackUrl, fresh) {
      const source = find(name);
      if (source === null) return null;
      const { url, pending: inner } = await source.begin(callbackUrl, fresh);
      const pending: Pending = { source: name, fresh, begunAt: clock.now(), inner };
      return { url, pending: JSON.stringify(pending) };
    },
    async finish(name, currentUrl, text, confirming) {
      const source = find(name);
      const pending = readPending(text);
      if (source === null || pending?.source !== name) return refuse(name, 'begun at another source');
      if (Math.abs(clock.now() - pending.begunAt) > pendingMs) return refuse(name, 'begun too long ago');
      if (confirming !== null && !pending.fresh) return refuse(name, 'not begun as a confirmation');
      const verdict = await source.finish(currentUrl, pending.inner);
      if (verdict.kind === 'refused') return refuse(name, verdict.reason);
      const { identity } = verdict;
      if (confirming !== null) return same(confirming, name, identity);
      const user = await deps.provisioning.welcome(name, identity);
      return user === null ? null : { user, signOut: identity.signOut };
    },
  };
}

/** What was sealed is ours; a seal of an older version may hold something else. */
function readPending(text: string): Pending | null {
  try {
    const value = JSON.parse(text) as Partial<Pending> | null;
    const { source, fresh, begunAt, inner } = value ?? {};
    if (typeof source !== 'string' || typeof inner !== 'string') return null;
    return typeof begunAt === 'number' ? { source, fresh: fresh === true, begunAt, inner } : null;
  } catch {
    return null;
  }
}
