import type { OwnedSession, SessionRecord } from '../identity/session-store.ts';
import type { Sessions } from '../identity/sessions.ts';
import type { RedirectSource } from '../identity/source.ts';
import { localSource, type UserRecord } from '../identity/user-store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Sealer } from '../tokens/sealer.ts';
import type { Person } from './caller.ts';
import type { LinkDoor } from './link-door.ts';
import type { PasswordDoor, PasswordWay } from './password-door.ts';
import type { ProviderDoor } from './provider-door.ts';
import type { BrowserSide, SignedIn, SignIn, SignInRefusal, SignInWay } from './sign-in.ts';
import { linkUsed, signInRefused } from './sign-in-refusals.ts';

/** Bytes of what a person was about to do. */
const draftBytesMax = 16 * 1024;

/** Every configured way in, in order. */
export type ConfiguredWay = PasswordWay | RedirectSource;

interface SignInDeps {
  readonly ways: readonly ConfiguredWay[];
  readonly passwordDoor: PasswordDoor;
  readonly providerDoor: ProviderDoor;
  readonly linkDoor: LinkDoor;
  readonly sessions: Sessions;
  readonly sealer: Sealer;
  readonly log: Pick<Log, 'warn'>;
}

/** See `SignIn`. Sessions of a way that is no longer configured do not count. */
export function createSignIn(deps: SignInDeps): SignIn {
  const { ways, passwordDoor, providerDoor, linkDoor, sessions, sealer } = deps;
  const hasLocal = ways.some((way) => way.kind === 'local');
  const redirects = ways.filter((way) => way.kind === 'oidc');

  const personOf = ({ user, session }: OwnedSession, address: string): Person => {
    const isConfirmed = sessions.isConfirmed(session);
    const draft = session.draft === null ? null : sealer.open('draft', session.draft);
    return { kind: 'person', user, session: { ...session, draft }, address, isConfirmed };
  };

  async function start(
    side: BrowserSide,
    user: UserRecord,
    how: { readonly confirmed: boolean; readonly signOut: string | null; readonly replaces: string | null },
  ): Promise<SignedIn | SignInRefusal> {
    const { address, userAgent } = side;
    const signOut = how.signOut === null ? null : sealer.seal('sign-out', how.signOut);
    const started = await sessions.start({ user, source: user.source, address, userAgent, ...how, signOut });
    // Shut out, or given another password, while this one was being checked.
    if (started === null) return signInRefused;
    return signedIn(started.secret, { user, session: started.session }, address);
  }

  function signedIn(secret: string, owned: OwnedSession, address: string): SignedIn {
    const person = personOf(owned, address);
    return { kind: 'signed_in', secret, endsAt: owned.session.endsAt, person };
  }

  /** Null where the session has ended meanwhile. */
  async function confirmed(person: Person, user: UserRecord): Promise<Person | null> {
    const session = await sessions.confirm(person.session);
    if (session === null) return null;
    // The draft is open here already.
    return { ...person, user, session, isConfirmed: sessions.isConfirmed(session) };
  }

  return {
    ways: () => toWays(ways),
    confirmationWay: (person) =>
      redirects.some(({ name }) => name === person.session.source) ? 'redirect' : 'password',
    async withPassword(side, userName, password, currentSecret) {
      const entered = await passwordDoor.enter(userName, password, side.address);
      if (entered.kind === 'refused') return entered;
      return start(side, entered.user, { confirmed: true, signOut: null, replaces: currentSecret });
    },
    begin: (source, callbackUrl, fresh) => providerDoor.begin(source, callbackUrl, fresh),
    async finish(side, source, currentUrl, pending, { secret, confirming }) {
      const guest = await providerDoor.finish(source, currentUrl, pending, confirming?.user ?? null);
      if (guest === null) return signInRefused;
      if (confirming === null) {
        return start(side, guest.user, { confirmed: true, signOut: guest.signOut, replaces: secret });
      }
      const person = await confirmed(confirming, guest.user);
      if (person === null || secret === null) return signInRefused;
      return { kind: 'signed_in', secret, endsAt: person.session.endsAt, person };
    },
    async recognise(secret, side) {
      const owned = await sessions.recognise(secret, side.address);
      return owned === null || !isConfigured(ways, owned.session) ? null : personOf(owned, side.address);
    },
    async confirm(person, password) {
      const entered = await passwordDoor.enterAgain(person.user, password, person.address);
      if (entered.kind === 'refused') return entered;
      return (await confirmed(person, entered.user)) ?? signInRefused;
    },
    async keepDraft(person, draft) {
      if (draft !== null && Buffer.byteLength(draft) > draftBytesMax) return false;
      // It may hold what somebody typed into a form.
      return sessions.keepDraft(person.session, draft === null ? null : sealer.seal('draft', draft));
    },
    async signOut({ user, session, address }, returnUrl) {
      await sessions.end({ name: `user:${user.name}`, address }, user.id, session.id);
      const source = redirects.find(({ name }) => name === session.source);
      if (source === undefined) return null;
      const signOut = session.signOut === null ? null : sealer.open('sign-out', session.signOut);
      try {
        return await source.signOutUrl(signOut, returnUrl);
      } catch (error) {
        deps.log.warn({ error, source: source.name }, 'the provider could not be asked where to sign out');
        return null;
      }
    },
    readLink: async (secret) => (hasLocal ? linkDoor.read(secret) : null),
    async useLink(side, secret, userName, password, currentSecret) {
      if (!hasLocal) return linkUsed;
      const user = await linkDoor.use(secret, userName, password, side.address);
      if ('kind' in user) return user;
      return start(side, user, { confirmed: false, signOut: null, replaces: currentSecret });
    },
    firstAdminLink: async () => (hasLocal ? linkDoor.firstAdminLink() : null),
  };
}

function isConfigured(ways: readonly ConfiguredWay[], { source }: SessionRecord): boolean {
  return ways.some((way) => (way.kind === 'local' ? localSource : way.name) === source);
}

/** All password ways share one form, where the first of them stands. */
function toWays(ways: readonly ConfiguredWay[]): readonly SignInWay[] {
  const firstPassword = ways.find((way) => way.kind !== 'oidc');
  return ways.flatMap((way): readonly SignInWay[] => {
    if (way.kind === 'oidc') return [{ kind: 'redirect', source: way.name, label: way.label }];
    return way === firstPassword ? [{ kind: 'password', source: null, label: null }] : [];
  });
}
