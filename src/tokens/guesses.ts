import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../core/clock.ts';
import type { Realm } from '../core/ids.ts';
import { foldUserName, type UserNameKey } from '../core/user-name.ts';
import { clientPrefix } from './client-prefix.ts';
import { lengthPrefixed, type Peppers } from './digest.ts';
import { createFailureCounts, type FailureCounts } from './failure-counts.ts';
import type { SharedFailures } from './shared-failures.ts';
import type { Credential, RefusalReason } from './verification.ts';

/** Accounts, and client prefixes, whose failures are remembered. */
const namesMax = 20_000;
/** No user has a longer name: what is longer is counted by client alone. */
const accountCharsMax = 512;
/** Where the limit is reached by passwords that are being checked just now. */
const soonMs = 1_000;

/** When guessing is answered by waiting. */
export interface GuessLimits {
  /** Failed distinct secrets per account. */
  readonly perAccount: number;
  /** The same per client prefix. */
  readonly perClient: number;
  /** Counting starts anew this long after a first failure. */
  readonly windowMs: number;
}

/**
 * Counts guesses: secrets that nobody has, each one once, by account and by client. It never stands before a
 * verdict on a token, only behind a refusal; only a password that would have to be hashed is held up by it.
 */
export interface Guesses {
  /**
   * Takes note of a refusal. Milliseconds to wait where account or client had reached their limit before it,
   * whatever the reason of this refusal; otherwise 0.
   */
  refused(credential: Credential, clientAddress: string, reason: RefusalReason): number;
  /**
   * Whether this password may be checked now; `key` tells passwords apart. Null: too many were wrong, or may
   * turn out wrong. Otherwise to be called once it is checked.
   */
  admit(userName: string, key: string, clientAddress: string): (() => void) | null;
}

interface GuessesDeps {
  readonly clock: Clock;
  readonly realm: Realm;
  readonly peppers: Peppers;
  /** Null: this process counts for itself. */
  readonly shared: SharedFailures | null;
  readonly limits: GuessLimits;
  /** Processes of this gateway, which check passwords at the same time. Default 1. */
  readonly processes?: number;
}

/** The reasons that mean that nobody has this secret; any other speaks of a token that exists. */
const guessReasons: ReadonlySet<RefusalReason> = new Set<RefusalReason>([
  'malformed',
  'unknown',
  'password_refused',
  'wrong_password',
]);

/** See `Guesses`. What is shared is told behind the verdict: nobody waits for it. */
export function createGuesses(deps: GuessesDeps): Guesses {
  const { clock, limits, peppers, realm, shared } = deps;
  const { windowMs } = limits;
  const { processes = 1 } = deps;
  const accounts = createFailureCounts({ clock, limit: limits.perAccount, windowMs, namesMax });
  const clients = createFailureCounts({ clock, limit: limits.perClient, windowMs, namesMax });
  const checking = new Map<UserNameKey, Set<string>>();
  const keyed = (purpose: string, parts: readonly string[]): string =>
    peppers.derive(purpose, peppers.current, lengthPrefixed(parts)) ?? '';

  async function tell(counts: FailureCounts, kind: string, name: string, guess: string): Promise<void> {
    if (shared === null) return;
    // Behind the answer, which would else be later than that to a secret already counted.
    await nextTurn();
    const total = await shared.add(keyed('failures', [realm, kind, name]), guess);
    if (total !== null) counts.raise(name, total);
  }

  /** Names a wrong secret without telling it. */
  function nameOf(credential: Credential, account: UserNameKey | null): string {
    const user = credential.channel === 'basic' ? credential.user : '';
    return keyed('guess', [account ?? user, credential.secret]);
  }

  function count(guess: string, account: UserNameKey | null, client: string): void {
    const mark = Buffer.from(guess, 'base64url').readUIntBE(0, 6);
    if (account !== null && accounts.add(account, mark)) void tell(accounts, 'account', account, guess);
    if (clients.add(client, mark)) void tell(clients, 'client', client, guess);
  }

  function waitMs(account: UserNameKey | null, client: string): number {
    return Math.max(account === null ? 0 : accounts.fullForMs(account), clients.fullForMs(client));
  }

  return {
    refused(credential, clientAddress, reason) {
      const account = credential.channel === 'basic' ? accountOf(credential.user) : null;
      const client = clientPrefix(clientAddress);
      const ms = waitMs(account, client);
      // Behind the client's limit nothing is counted any more: one client can use up few accounts.
      if (clients.room(client) > 0) {
        // Named whatever the reason, so that what is counted takes no longer than what is not.
        const guess = nameOf(credential, account);
        if (guessReasons.has(reason)) count(guess, account, client);
      }
      return reason === 'throttled' ? Math.max(ms, soonMs) : ms;
    },
    admit(userName, key, clientAddress) {
      const account = accountOf(userName);
      if (waitMs(account, clientPrefix(clientAddress)) > 0) return null;
      if (account === null) return () => undefined;
      const running = checking.get(account) ?? new Set();
      // Each of them may be wrong: together they must not go beyond the limit either, nor those of other processes.
      if (!running.has(key) && running.size >= Math.ceil(accounts.room(account) / processes)) return null;
      checking.set(account, running.add(key));
      return () => {
        running.delete(key);
        if (running.size === 0 && checking.get(account) === running) checking.delete(account);
      };
    },
  };
}

function accountOf(user: string): UserNameKey | null {
  return user === '' || user.length > accountCharsMax ? null : foldUserName(user);
}
