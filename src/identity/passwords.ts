import { createTurns } from './turns.ts';

/** argon2id with t=2, m=19 MiB, p=1: the middle one of the parameter sets of OWASP ASVS 5.0, appendix C. */
const parameters = { timeCost: 2, memoryCost: 19 * 1024, parallelism: 1 } as const;
const bytesMin = 8;
const bytesMax = 1_024;

/** Hashes and checks login passwords, never more at a time than the machine can bear. */
export interface Passwords {
  /** PHC string. Rejects with `Fault('overloaded')` where too many wait. */
  hash(password: string): Promise<string>;
  /**
   * Whether the password made the hash. Without a hash (unknown user, no password) it takes the same time
   * and is false. Rejects with `Fault('overloaded')` where too many wait.
   */
  matches(passwordHash: string | null, password: string): Promise<boolean>;
}

interface PasswordsDeps {
  /** Hashes at a time. */
  readonly concurrency: number;
  /** Waiting for their turn; more are refused at once. */
  readonly queueMax: number;
}

/** Loaded with the first password: most processes see none. */
const argon2 = (): Promise<typeof import('argon2')> => import('argon2');

async function hash(password: string): Promise<string> {
  const { argon2id, hash: digest } = await argon2();
  return digest(password, { ...parameters, type: argon2id });
}

/** Why a password cannot be chosen, as a sentence; null where it can. */
export function passwordProblem(password: string): string | null {
  const bytes = Buffer.byteLength(password);
  if (bytes < bytesMin) return `A password has at least ${bytesMin} characters.`;
  return bytes > bytesMax ? `A password has at most ${bytesMax} bytes.` : null;
}

/** See `Passwords`. */
export function createPasswords({ concurrency, queueMax }: PasswordsDeps): Passwords {
  const turns = createTurns({ concurrency, queueMax, what: 'passwords' });
  let decoy: Promise<string> | null = null;

  return {
    hash: (password) => turns.take(() => hash(password)),
    matches: (passwordHash, password) =>
      turns.take(async () => {
        const { verify } = await argon2();
        if (passwordHash !== null) return verify(passwordHash, password);
        decoy ??= hash('nobody has this password');
        await verify(await decoy, password);
        return false;
      }),
  };
}
