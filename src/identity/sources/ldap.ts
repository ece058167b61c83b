import { randomBytes } from 'node:crypto';
import { AndFilter, type Entry, EqualityFilter, Filter, FilterParser } from 'ldapts';
import type { LdapConfig } from '../../config/sign-in-config.ts';
import { foldUserName } from '../../core/user-name.ts';
import type { PasswordSource, SourceIdentity, SourceVerdict, Standing } from '../source.ts';
import { createTurns } from '../turns.ts';
import { createLdapConnections } from './ldap-connection.ts';
import { type GroupVerdict, groupsDecide, judgeGroups } from './ldap-groups.ts';

/** People who sign in at a time; each takes two connections for a moment. */
const concurrency = 8;
const queueMax = 64;
const groupsMax = 1_000;

/**
 * Users of a directory: searched by login name, then asked with their password. Nobody is let in where the search
 * finds several, and referrals to other servers are not followed.
 * @throws {Error} where a filter of the configuration cannot be understood
 */
export function createLdapSource(config: LdapConfig): PasswordSource {
  const connections = createLdapConnections(config);
  const turns = createTurns({ concurrency, queueMax, what: `passwords for ${config.name}` });
  const further = config.filter === null ? [] : [FilterParser.parseString(config.filter)];
  const { userAttribute, subjectAttribute, displayNameAttribute, mailAttribute, groups } = config;
  const binary = isBinary(subjectAttribute) ? [subjectAttribute] : [];

  const find = (attribute: string, value: string | Buffer): Promise<readonly Entry[]> =>
    connections.search({
      baseDn: config.baseDn,
      filter: new AndFilter({ filters: [new EqualityFilter({ attribute, value }), ...further] }),
      attributes: [
        ...[userAttribute, subjectAttribute, displayNameAttribute, mailAttribute],
        ...(groupsDecide(groups) && groups.baseDn === null ? [groups.attribute] : []),
      ],
      binary,
      entriesMax: 2,
    });

  async function judge(entry: Entry): Promise<GroupVerdict> {
    if (!groupsDecide(groups)) return { isAllowed: true, isAdmin: null };
    if (groups.baseDn === null) return judgeGroups(groups, textsOf(entry, groups.attribute));
    const found = await connections.search({
      baseDn: groups.baseDn,
      filter: FilterParser.parseString(groups.filter.replaceAll('{dn}', () => Filter.escape(entry.dn))),
      // RFC 4511 section 4.5.1.8: no attribute.
      attributes: ['1.1'],
      binary: [],
      entriesMax: groupsMax,
    });
    return judgeGroups(
      groups,
      found.map(({ dn }) => dn),
    );
  }

  /** `userName`: as typed; null where the entry was found otherwise. */
  async function check(
    found: readonly Entry[],
    userName: string | null,
    password: string,
  ): Promise<SourceVerdict> {
    const [entry, second] = found;
    if (entry === undefined || second !== undefined) {
      // As many questions as for somebody who is there.
      await connections.accepts(`${userAttribute}=${nonce()},${config.baseDn}`, nonce());
      return refused(entry === undefined ? 'no such user' : 'several entries have this name');
    }
    const { isAllowed, isAdmin } = await judge(entry);
    if (!(await connections.accepts(entry.dn, password))) {
      return refused('the directory refused the password', true);
    }
    if (!isAllowed) return refused('in none of the groups that may sign in', true);
    const subject = subjectOf(entry, subjectAttribute);
    if (subject === null) return refused(`the entry has no single ${subjectAttribute}: set subjectAttribute`);
    return { kind: 'known', identity: identityOf(config, entry, { subject, userName, isAdmin }) };
  }

  const findSubject = (subject: string): Promise<readonly Entry[]> =>
    find(subjectAttribute, binary.length > 0 ? Buffer.from(subject, 'hex') : subject);

  return {
    kind: 'ldap',
    name: config.name,
    async check(userName, password) {
      // A bind without a password is no bind of that user (RFC 4513 section 5.1.2).
      if (userName === '' || password === '') return refused('empty name or password');
      return turns.take(async () => check(await find(userAttribute, userName), userName, password));
    },
    async checkAgain(subject, password) {
      if (password === '') return refused('empty password');
      return turns.take(async () => check(await findSubject(subject), null, password));
    },
    async standing({ subject }): Promise<Standing> {
      try {
        const [entry, second] = await turns.take(() => findSubject(subject));
        if (second !== undefined) return { kind: 'unknown' };
        if (entry === undefined) return { kind: 'gone' };
        const { isAllowed, isAdmin } = await judge(entry);
        return isAllowed ? { kind: 'stands', isAdmin } : { kind: 'gone' };
      } catch {
        return { kind: 'unknown' };
      }
    },
    close: () => connections.close(),
  };
}

function identityOf(
  config: LdapConfig,
  entry: Entry,
  { subject, userName, isAdmin }: Pick<SourceIdentity, 'subject' | 'userName' | 'isAdmin'>,
): SourceIdentity {
  const names = textsOf(entry, config.userAttribute);
  // As the directory spells the name that was typed, where the entry has several.
  const typed = userName === null ? null : foldUserName(userName);
  const name = names.find((each) => foldUserName(each) === typed) ?? names[0];
  return {
    subject,
    userName: name ?? userName,
    displayName: textsOf(entry, config.displayNameAttribute)[0] ?? null,
    email: textsOf(entry, config.mailAttribute)[0] ?? null,
    isAdmin,
    ...{ grant: null, signOut: null },
  };
}

function subjectOf(entry: Entry, attribute: string): string | null {
  const [subject, second] = valuesOf(entry, attribute);
  if (subject === undefined || subject.length === 0 || second !== undefined) return null;
  return Buffer.isBuffer(subject) ? subject.toString('hex') : subject;
}

/** Directories spell attributes as their schema does, whatever was asked for. */
function valuesOf(entry: Entry, attribute: string): readonly (string | Buffer)[] {
  const wanted = attribute.toLowerCase();
  const [, found] = Object.entries(entry).find(([name]) => name.toLowerCase() === wanted) ?? [];
  return found === undefined ? [] : Array.isArray(found) ? found : [found];
}

function textsOf(entry: Entry, attribute: string): readonly string[] {
  return valuesOf(entry, attribute).filter((each) => typeof each === 'string');
}

/** Active Directory's name of an entry for ever is bytes. */
function isBinary(attribute: string): boolean {
  return attribute.toLowerCase() === 'objectguid';
}

function nonce(): string {
  return randomBytes(16).toString('hex');
}

function refused(reason: string, wasChecked = false): SourceVerdict {
  return { kind: 'refused', reason, wasChecked };
}
