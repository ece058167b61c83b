import { Fault, type FaultCode } from '../core/errors.ts';
import type { RandomBytes } from '../core/random.ts';
import { foldUserName } from '../core/user-name.ts';
import type { Passwords } from './passwords.ts';
import type { PasswordSource, SourceIdentity } from './source.ts';
import { isShutOut, localSource, type UserRecord, type UserStore } from './user-store.ts';

/** Faults of one source that say nothing about the others. */
const passingCodes: ReadonlySet<FaultCode> = new Set<FaultCode>(['sign_in_unavailable', 'overloaded']);

/** Main passwords, wherever they are kept, in the form in which the verifier asks for them. */
export interface PasswordDirectory {
  /** By login name in any spelling; one whom the source has shut out shows as disabled. */
  find(userName: string): Promise<UserRecord | null>;
  /**
   * Whose password it is: the owner's of that name, asked where that user comes from, or that of somebody new whom a
   * source knows, who is a user from then on. Null after the same work where it is nobody's. Rejects with
   * `Fault('sign_in_unavailable')` where a source that should say cannot be asked.
   */
  prove(userName: string, owner: UserRecord | null, password: string): Promise<UserRecord | null>;
}

interface DirectoryDeps {
  readonly store: Pick<UserStore, 'findByName'>;
  readonly passwords: Pick<Passwords, 'matches'>;
  /** Whether local users may use their passwords. */
  readonly hasLocal: boolean;
  /** In the order in which they are asked about somebody new. */
  readonly sources: readonly PasswordSource[];
  /** Makes a user of somebody whom a source knows; null where nobody may come in by it. */
  readonly welcome: (source: string, identity: SourceIdentity) => Promise<UserRecord | null>;
  readonly randomBytes: RandomBytes;
}

/** Joins the users with the places where their passwords are kept. */
export function createPasswordDirectory(deps: DirectoryDeps): PasswordDirectory {
  const { store, passwords, sources, hasLocal } = deps;

  const show = (user: UserRecord | null): UserRecord | null =>
    user === null ? null : { ...user, disabled: isShutOut(user) };

  async function isLocal(owner: UserRecord | null, password: string): Promise<boolean> {
    const hash = hasLocal && owner?.source === localSource ? owner.passwordHash : null;
    return passwords.matches(hash, password);
  }

  async function isAt(source: PasswordSource, owner: UserRecord, password: string): Promise<boolean> {
    if (owner.subject === null) return false;
    // Not by name, which may be somebody else's there by now.
    return (await source.checkAgain(owner.subject, password)).kind === 'known';
  }

  /** What is no use but takes its time: a name that one source knows answers no sooner than any other. */
  async function waste(others: readonly PasswordSource[], userName: string): Promise<void> {
    for (const source of others) {
      const decoy = Buffer.from(deps.randomBytes(16)).toString('base64url');
      await source.check(userName, decoy).catch(() => null);
    }
  }

  async function proveOwner(owner: UserRecord, password: string): Promise<UserRecord | null> {
    const home = sources.find(({ name }) => name === owner.source);
    const isAtHome = home !== undefined && (await isAt(home, owner, password));
    if (isAtHome && !owner.disabled) return owner;
    if ((await isLocal(owner, password)) && !owner.disabled) return owner;
    await waste(
      sources.filter((source) => source !== home),
      owner.name,
    );
    return null;
  }

  async function proveNewcomer(userName: string, password: string): Promise<UserRecord | null> {
    let unavailable: Fault | null = null;
    let wasChecked = false;
    for (const source of sources) {
      try {
        const verdict = await source.check(userName, password);
        wasChecked ||= verdict.kind === 'known' || verdict.wasChecked;
        const user = verdict.kind === 'known' ? await deps.welcome(source.name, verdict.identity) : null;
        if (user !== null) return show(user);
      } catch (error) {
        if (!(error instanceof Fault && passingCodes.has(error.code))) throw error;
        unavailable ??= error;
      }
    }
    await isLocal(null, password);
    // Where one said no it was a guess, and is to be counted as one, also while another is away.
    if (unavailable !== null && !wasChecked) throw unavailable;
    return null;
  }

  return {
    find: async (userName) => show(await store.findByName(foldUserName(userName))),
    prove: (userName, owner, password) =>
      owner === null ? proveNewcomer(userName, password) : proveOwner(owner, password),
  };
}
