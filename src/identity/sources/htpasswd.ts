import { createHmac, timingSafeEqual } from 'node:crypto';
import type { HtpasswdConfig } from '../../config/sign-in-config.ts';
import type { Clock } from '../../core/clock.ts';
import { Fault } from '../../core/errors.ts';
import type { RandomBytes } from '../../core/random.ts';
import { foldUserName } from '../../core/user-name.ts';
import type { PasswordSource, SourceVerdict } from '../source.ts';
import { createTurns } from '../turns.ts';
import { createHashThread } from './hash-thread.ts';
import { createHtpasswdFile, type HtpasswdEntries, type HtpasswdEntry } from './htpasswd-file.ts';
import { hashProblem } from './htpasswd-hash.ts';

const queueMax = 64;
/** Entries whose password has been seen: a right one is not hashed again while its entry stays. */
const provenMax = 10_000;

interface HtpasswdDeps {
  readonly config: HtpasswdConfig;
  readonly clock: Pick<Clock, 'now'>;
  readonly randomBytes: RandomBytes;
}

/**
 * Users of an htpasswd file: bcrypt, apr1 or {SHA}. The file is looked at for every question, so that a changed one
 * counts at once; whoever is no longer in it has lapsed, once it has rested for two seconds.
 */
export function createHtpasswdSource({ config, clock, randomBytes }: HtpasswdDeps): PasswordSource {
  const file = createHtpasswdFile(config.file, clock);
  const thread = createHashThread();
  const turns = createTurns({ concurrency: 1, queueMax, what: `passwords for ${config.name}` });
  const key = randomBytes(32);
  const proven = new Map<string, Buffer>();

  async function read(): Promise<HtpasswdEntries> {
    try {
      return await file.read();
    } catch (error) {
      const message = `The htpasswd file ${config.file} cannot be read: check its path and permissions.`;
      throw new Fault('sign_in_unavailable', message, error);
    }
  }

  async function matches(entry: HtpasswdEntry, password: string): Promise<boolean> {
    const mark = createHmac('sha256', key).update(password).digest();
    const known = proven.get(entry.hash);
    if (known !== undefined && timingSafeEqual(known, mark)) return true;
    const isRight = await turns.take(() => thread.matches(entry.hash, password));
    if (isRight) remember(proven, entry.hash, mark);
    return isRight;
  }

  async function check(userName: string, password: string): Promise<SourceVerdict> {
    const { byName } = await read();
    const entry = byName.get(foldUserName(userName));
    const problem = entry === undefined ? 'no such user in the file' : hashProblem(entry.hash);
    if (entry === undefined || problem !== null) {
      // Somebody's hash, so that an unknown name takes as long as a known one.
      const [decoy] = byName.values();
      if (decoy !== undefined) await turns.take(() => thread.matches(decoy.hash, password));
      return { kind: 'refused', reason: problem ?? '', wasChecked: false };
    }
    if (await matches(entry, password)) return known(entry);
    return { kind: 'refused', reason: 'wrong password', wasChecked: true };
  }

  return {
    kind: 'htpasswd',
    name: config.name,
    check,
    // The folded name is what a line is called for ever.
    checkAgain: check,
    async standing({ subject }) {
      try {
        const { byName, settled } = await read();
        if (byName.has(foldUserName(subject))) return { kind: 'stands' };
        return settled ? { kind: 'gone' } : { kind: 'unknown' };
      } catch {
        return { kind: 'unknown' };
      }
    },
    close: () => thread.close(),
  };
}

function known({ name }: HtpasswdEntry): SourceVerdict {
  const nothing = { displayName: null, email: null, isAdmin: null, grant: null, signOut: null };
  return { kind: 'known', identity: { subject: foldUserName(name), userName: name, ...nothing } };
}

/** The oldest one makes room. */
function remember(proven: Map<string, Buffer>, hash: string, mark: Buffer): void {
  proven.delete(hash);
  proven.set(hash, mark);
  const [oldest] = proven.keys();
  if (proven.size > provenMax && oldest !== undefined) proven.delete(oldest);
}
