import { Fault } from '../core/errors.ts';
import { foldUserName } from '../core/user-name.ts';
import type { Passwords } from '../identity/passwords.ts';
import type { PasswordSource } from '../identity/source.ts';
import { isShutOut, localSource, type UserRecord, type UserStore } from '../identity/user-store.ts';
import type { Log } from '../telemetry/log.ts';
import { lengthPrefixed, type Peppers } from '../tokens/digest.ts';
import type { Guesses } from '../tokens/guesses.ts';
import type { Provisioning } from './provisioning.ts';
import type { SignInRefusal } from './sign-in.ts';
import { signInRefused, throttled } from './sign-in-refusals.ts';

/** Longer than anyone types; hashing is not offered more. */
const passwordBytesMax = 1_024;
/** Right passwords remembered, by keyed hash: those are asked about even while others are being guessed. */
const provenMax = 10_000;

/** Where passwords are checked: local users, or users kept elsewhere. */
export type PasswordWay = { readonly kind: 'local' } | PasswordSource;

/** Whom a password speaks for. */
export interface ProvenPassword {
  readonly kind: 'proven';
  readonly user: UserRecord;
}

/**
 * Checks passwords that people type, each behind the count of wrong ones. An unknown name, a wrong password, somebody
 * shut out and somebody without a password are answered alike and after the same work. Rejects with
 * `Fault('sign_in_unavailable')` where nobody said yes and a source could not be asked, and `Fault('overloaded')`.
 */
export interface PasswordDoor {
  /** Asks every way in order until one says yes. */
  enter(userName: string, password: string, address: string): Promise<ProvenPassword | SignInRefusal>;
  /** Asks about one user, where that user comes from. */
  enterAgain(user: UserRecord, password: string, address: string): Promise<ProvenPassword | SignInRefusal>;
}

interface PasswordDoorDeps {
  /** In the order in which they are asked. */
  readonly ways: readonly PasswordWay[];
  readonly store: Pick<UserStore, 'findByName'>;
  readonly passwords: Pick<Passwords, 'matches'>;
  readonly provisioning: Provisioning;
  readonly guesses: Guesses;
  readonly peppers: Peppers;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

/** See `PasswordDoor`. */
export function createPasswordDoor(deps: PasswordDoorDeps): PasswordDoor {
  const { guesses, peppers, log } = deps;
  const proven = new Set<string>();

  async function ask(way: PasswordWay, userName: string, password: string): Promise<UserRecord | null> {
    if (way.kind === 'local') return askLocal(deps, userName, password);
    const verdict = await way.check(userName, password);
    if (verdict.kind === 'known') return deps.provisioning.welcome(way.name, verdict.identity);
    log.info({ source: way.name, reason: verdict.reason }, 'sign-in refused by a source');
    return null;
  }

  /** All of them, so that it takes no longer where the name is known to one. */
  async function askAll(ways: readonly PasswordWay[], userName: string, password: string) {
    let unavailable: Fault | null = null;
    for (const way of ways) {
      try {
        const user = await ask(way, userName, password);
        if (user !== null) return user;
      } catch (error) {
        if (!(error instanceof Fault && error.code === 'sign_in_unavailable')) throw error;
        log.warn({ error }, 'a sign-in source cannot be asked');
        unavailable ??= error;
      }
    }
    return unavailable;
  }

  async function counted(
    userName: string,
    password: string,
    address: string,
    look: () => Promise<UserRecord | Fault | null>,
  ): Promise<ProvenPassword | SignInRefusal> {
    const credential = { channel: 'basic', user: userName, secret: password } as const;
    const refuse = (reason: 'wrong_password' | 'throttled'): SignInRefusal => {
      const waitMs = guesses.refused(credential, address, reason);
      return waitMs > 0 ? throttled(waitMs) : signInRefused;
    };
    if (password === '' || Buffer.byteLength(password) > passwordBytesMax) return refuse('wrong_password');
    const pair = lengthPrefixed([foldUserName(userName), password]);
    const key = peppers.derive('main password', peppers.current, pair) ?? '';
    const done = guesses.admit(userName, key, address);
    // One that was right before is no guess: a storm of guesses does not lock its owner out.
    if (done === null && !proven.has(key)) return refuse('throttled');
    try {
      const found = await look();
      if (found !== null && !(found instanceof Fault)) {
        remember(proven, key);
        return { kind: 'proven', user: found };
      }
      if (found === null) proven.delete(key);
      // Counted also where a source was away: local passwords could else be tried without end.
      const refusal = refuse('wrong_password');
      if (found instanceof Fault && refusal.code !== 'throttled') throw found;
      return refusal;
    } finally {
      done?.();
    }
  }

  return {
    enter: (userName, password, address) =>
      counted(userName, password, address, () => askAll(deps.ways, userName, password)),
    enterAgain(user, password, address) {
      const own = deps.ways.filter((way) => (way.kind === 'local' ? localSource : way.name) === user.source);
      return counted(user.name, password, address, async () => {
        const found = await askAll(own, user.name, password);
        // A name may have gone to somebody else at the source.
        return found === null || found instanceof Fault || found.id === user.id ? found : null;
      });
    },
  };
}

async function askLocal(
  { store, passwords }: PasswordDoorDeps,
  userName: string,
  password: string,
): Promise<UserRecord | null> {
  const user = await store.findByName(foldUserName(userName));
  const local = user?.source === localSource ? user : null;
  const isRight = await passwords.matches(local?.passwordHash ?? null, password);
  return isRight && local !== null && !isShutOut(local) ? local : null;
}

/** The oldest one makes room. */
function remember(proven: Set<string>, key: string): void {
  proven.delete(key);
  proven.add(key);
  const [oldest] = proven;
  if (proven.size > provenMax && oldest !== undefined) proven.delete(oldest);
}
