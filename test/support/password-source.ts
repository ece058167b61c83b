import { Fault } from '../../src/core/errors.ts';
import type { PasswordSource, SourceVerdict } from '../../src/identity/source.ts';

/** A source in memory, which remembers what it was asked. */
export interface FakeSource extends PasswordSource {
  /** Password and subject by login name in lower case. */
  readonly people: Map<string, readonly [password: string, subject: string]>;
  /** Names and subjects, latest last. */
  readonly asked: string[];
  /** Cannot be asked as long as this is true. */
  isAway: boolean;
}

/** Empty at first. */
export function fakeSource(name: string): FakeSource {
  const people: FakeSource['people'] = new Map();
  const asked: string[] = [];
  const answer = (who: string, password: string, found: string | undefined): SourceVerdict => {
    asked.push(who);
    if (source.isAway) throw new Fault('sign_in_unavailable', 'away');
    const [right, subject] = people.get(found ?? '') ?? [];
    if (found === undefined || subject === undefined || right !== password) {
      return { kind: 'refused', reason: 'no', wasChecked: subject !== undefined };
    }
    const nothing = { displayName: null, email: null, isAdmin: null, grant: null, signOut: null };
    return { kind: 'known', identity: { subject, userName: found, ...nothing } };
  };
  const source: FakeSource = {
    ...{ kind: 'ldap', name, people, asked, isAway: false },
    check: async (userName, password) => answer(userName, password, userName.toLowerCase()),
    checkAgain: async (subject, password) =>
      answer(subject, password, [...people].find(([, [, each]]) => each === subject)?.[0]),
    standing: () => Promise.resolve({ kind: 'unknown' }),
    close: () => Promise.resolve(),
  };
  return source;
}
