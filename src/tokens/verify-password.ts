import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';
import type { Realm, UserId } from '../core/ids.ts';
import type { Principal } from '../core/principal.ts';
import { foldUserName } from '../core/user-name.ts';
import { lengthPrefixed, type Peppers } from './digest.ts';
import type { Freshness, Subject } from './freshness.ts';
import type { Guesses } from './guesses.ts';
import type { Answer } from './l1-cache.ts';
import type { PasswordCheck, PasswordOwner } from './password-check.ts';
import type { SharedCache } from './shared-cache.ts';
import { createTiers, type Question, type TierLimits } from './tiers.ts';
import type { Tier, Verification } from './verification.ts';

const passwordLimits: TierLimits = {
  l1EntriesMax: 10_000,
  l1Ms: 60_000,
  sharedMs: 60_000,
  negativeMs: 5_000,
};
/** Longer than anyone types; hashing is not offered more. */
const passwordBytesMax = 1_024;

/**
 * Verifies a user's own password. Answers within the main password's cache come without a promise. Where too
 * many were wrong before, only those are looked at that were right before, here or in the shared cache.
 */
export interface PasswordVerifier {
  verify(userName: string, password: string, clientAddress: string): Verification | Promise<Verification>;
}

interface PasswordVerifierDeps<Owner extends PasswordOwner> {
  readonly clock: Clock;
  readonly realm: Realm;
  readonly check: PasswordCheck<Owner>;
  readonly shared: SharedCache | null;
  readonly peppers: Peppers;
  readonly freshness: Freshness;
  readonly guesses: Pick<Guesses, 'admit'>;
}

/** That somebody's password was right, at one version of that somebody. */
interface PasswordFact {
  readonly userId: UserId;
  readonly userName: string;
  readonly userVersion: number;
}

interface CachedPassword extends Subject {
  readonly principal: Principal;
}

/**
 * Main passwords through the same tiers as tokens: what is remembered is that this password was right for
 * this version of the user, under a key made with the pepper.
 */
export function createPasswordVerifier<Owner extends PasswordOwner>(
  deps: PasswordVerifierDeps<Owner>,
): PasswordVerifier {
  const { check, guesses, peppers, realm } = deps;
  const tiers = createTiers<PasswordFact, CachedPassword>({
    ...deps,
    limits: passwordLimits,
    compile,
    endOf: () => null,
  });

  /** Which version of which user each password was right for: as long as the store says the same, hashing proves nothing new. */
  const proven = new LRUCache<string, string>({ max: passwordLimits.l1EntriesMax });

  async function read(key: string, userName: string, password: string): Promise<PasswordFact | null> {
    const owner = await check.find(userName);
    // What is kept elsewhere may have changed without us: it is asked there each time.
    const state = owner === null || owner.passwordHash === null ? null : `${owner.id} ${owner.version}`;
    if (owner !== null && state !== null && proven.get(key) === state) return toFact(owner);
    const found = await check.prove(userName, owner, password);
    // Of somebody disabled nothing is right: remembered otherwise than a wrong one, it could be told from it.
    if (found === null || found.disabled) return null;
    if (state !== null) proven.set(key, state);
    return toFact(found);
  }

  /** Without hashing: right where another process has found it right within the last minute. */
  async function onlyIfShared(key: string, question: Question<PasswordFact>): Promise<Verification> {
    const recalled = await tiers.recall(key, question);
    if (recalled === null || recalled.answer.value === null) {
      return { kind: 'refused', reason: 'throttled', tier: 'none' };
    }
    return conclude(recalled.answer, recalled.tier);
  }

  return {
    verify(userName, password, clientAddress) {
      if (Buffer.byteLength(password) > passwordBytesMax) {
        return { kind: 'refused', reason: 'wrong_password', tier: 'none' };
      }
      const pair = lengthPrefixed([foldUserName(userName), password]);
      const key = peppers.derive('main password', peppers.current, pair) ?? '';
      const known = tiers.peek(key);
      if (known !== null) return conclude(known, 'l1');
      const sharedKey = lengthPrefixed(['1', realm, 'password', key]);
      const question = {
        sharedKeys: () => [sharedKey],
        read: () => read(key, userName, password),
        sharedKeyOf: () => sharedKey,
      };
      const checked = guesses.admit(userName, key, clientAddress);
      // One that was right before is no guess: a storm of guesses does not lock its owner out.
      if (checked === null && !tiers.remembers(key)) return onlyIfShared(key, question);
      const asked = tiers.ask(key, question, false).finally(() => checked?.());
      return asked.then(({ answer, tier }) => conclude(answer, tier));
    },
  };
}

function toFact(owner: PasswordOwner): PasswordFact {
  return { userId: owner.id, userName: owner.name, userVersion: owner.version };
}

function compile({ userId, userName, userVersion }: PasswordFact): CachedPassword {
  const principal = Object.freeze({
    userId,
    userName,
    tokenId: null,
    scopes: [{ kind: 'everything' } as const],
  });
  return { tokenId: null, tokenVersion: 0, userId, userVersion, principal };
}

function conclude({ value }: Answer<CachedPassword>, tier: Tier): Verification {
  if (value === null) return { kind: 'refused', reason: 'wrong_password', tier };
  return { kind: 'verified', principal: value.principal, tier };
}
