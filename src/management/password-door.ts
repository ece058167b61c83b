import { Fault, type FaultCode } from '../core/errors.ts';
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

/** Faults of one way that say nothing about the others. */
const passingCodes: ReadonlySet<FaultCode> = new Set<FaultCode>(['sign_in_unavailable', 'overloaded']);

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

/** Whom a way is asked about: by a name as typed, or by what the source calls somebody known. */
type Who = Pick<UserRecord, 'name' | 'subject'>;

interface Answer {
  readonly user: UserRecord | null;
  /** Whether the password was held against somebody's. */
  readonly wasChecked: boolean;
}

interface Answers extends Answer {
  /** Of a way that could not be asked. */
  readonly fault: Fault | null;
}

/** See `PasswordDoor`. */
export function createPasswordDoor(deps: PasswordDoorDeps): PasswordDoor {
  const { guesses, peppers, log } = deps;
  const proven = new Set<string>();

  async function ask(way: PasswordWay, who: Who, password: string): Promise<Answer> {
    if (way.kind === 'local') return askLocal(deps, who.name, password);
    const { subject } = who;
    const verdict = await (subject === null
      ? way.check(who.name, password)
      : way.checkAgain(subject, password));
    if (verdict.kind === 'known') {
      const user = await deps.provisioning.welcome(way.name, verdict.identity);
      return { user, wasChecked: true };
    }
    log.info({ source: way.name, reason: verdict.reason }, 'sign-in refused by a source');
    return { user: null, wasChecked: verdict.wasChecked };
  }

  /** All of them, so that it takes no longer where the name is known to one. */
  async function askAll(ways: readonly PasswordWay[], who: Who, password: string): Promise<Answers> {
    let [wasChecked, fault]: [boolean, Fault | null] = [false, null];
    for (const way of ways) {
      try {
        const answer = await ask(way, who, password);
        if (answer.user !== null) return { ...answer, fault: null };
        wasChecked ||= answer.wasChecked;
      } catch (error) {
        if (!(error instanceof Fault && passingCodes.has(error.code))) throw error;
        log.warn({ error }, 'a sign-in source cannot be asked');
        fault ??= error;
      }
    }
    return { user: null, wasChecked, fault };
  }

  async function counted(
    userName: string,
    password: string,
    address: string,
    look: () => Promise<Answers>,
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
      const { user, wasChecked, fault } = await look();
      if (user !== null) {
        remember(proven, key);
        return { kind: 'proven', user };
      }
      if (fault === null) proven.delete(key);
      // Where one said no it was a guess, also while another is away; where nobody was asked, it was none.
      if (fault !== null && !wasChecked) throw fault;
      const refusal = refuse('wrong_password');
      if (fault !== null && refusal.code !== 'throttled') throw fault;
      return refusal;
    } finally {
      done?.();
    }
  }

  return {
    enter: (userName, password, address) =>
      counted(userName, password, address, () =>
        askAll(deps.ways, { name: userName, subject: null }, password),
      ),
    enterAgain(user, password, address) {
      const own = deps.ways.filter((way) => (way.kind === 'local' ? localSource : way.name) === user.source);
      return counted(user.name, password, address, () => askAll(own, user, password));
    },
  };
}

async function askLocal(
  { store, passwords }: PasswordDoorDeps,
  userName: string,
  password: string,
): Promise<Answer> {
  const user = await store.findByName(foldUserName(userName));
  const local = user?.source === localSource ? user : null;
  const isRight = await passwords.matches(local?.passwordHash ?? null, password);
  const isLetIn = isRight && local !== null && !isShutOut(local);
  return { user: isLetIn ? local : null, wasChecked: local !== null };
}

/** The oldest one makes room. */
function remember(proven: Set<string>, key: string): void {
  proven.delete(key);
  proven.add(key);
  const [oldest] = proven;
  if (proven.size > provenMax && oldest !== undefined) proven.delete(oldest);
}
