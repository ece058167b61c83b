import { mkdir, writeFile } from 'node:fs/promises';
import type { LdapConfig } from '../../src/config/sign-in-config.ts';
import { makeCertificates } from './certificates.ts';
import { type Child, run, startChild } from './child-process.ts';
import { freePort } from './free-port.ts';
import { findProgram } from './requirement.ts';
import { makeScratch, type Scratch } from './scratch.ts';

/** Everything is below this. */
export const directoryBase = 'dc=example,dc=org';
/** Where people are. */
export const peopleBase: string = `ou=people,${directoryBase}`;
const manager = { dn: `cn=manager,${directoryBase}`, password: 'the manager' };
const reader = { dn: `cn=reader,${directoryBase}`, password: 'the reader' };

/** Somebody in the directory, at first. */
export interface DirectoryPerson {
  readonly uid: string;
  readonly password: string;
  readonly displayName?: string;
  readonly mail?: string;
}

/** A real slapd, with the people and groups given, that lives as long as its test. */
export interface Slapd {
  /** Its plain address on this machine. */
  readonly url: string;
  /** Speaks TLS from the beginning. */
  readonly secureUrl: string;
  /** PEM of the authority that signed its certificate. */
  readonly ca: string;
  readonly port: number;
  /** A configuration that reaches it over plain LDAP, with an account that may search. */
  config(changes?: Partial<LdapConfig>): LdapConfig;
  /** Changes what is in it, in LDIF with change types (RFC 2849). */
  change(ldif: string): Promise<void>;
  /** SIGSTOP: connections stay, nothing is answered. */
  pause(): void;
  resume(): void;
  /** Ends the process and keeps its data; `start` begins it again. */
  halt(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** The DN of somebody. */
export function personDn(uid: string): string {
  return `uid=${uid},${peopleBase}`;
}

/** The DN of a group. */
export function groupDn(name: string): string {
  return `cn=${name},ou=groups,${directoryBase}`;
}

/** Starts slapd on 127.0.0.1 with `memberOf`. Anonymous visitors may bind, and see nothing. Needs slapd and ldap-utils. */
export async function startSlapd(
  people: readonly DirectoryPerson[],
  groups: Readonly<Record<string, readonly string[]>> = {},
): Promise<Slapd> {
  const command = findProgram('slapd');
  if (command === null) throw new Error('slapd is not installed');
  const scratch = await makeScratch('slapd');
  const [port, securePort] = [await freePort(), await freePort()];
  const ca = await makeCertificates(scratch);
  await mkdir(scratch.file('db'));
  await writeFile(scratch.file('slapd.conf'), settings(scratch));
  const url = `ldap://127.0.0.1:${port}`;
  const secureUrl = `ldaps://127.0.0.1:${securePort}`;
  let child: Child | null = null;
  const start = async (): Promise<void> => {
    const args = ['-d', '0', '-f', scratch.file('slapd.conf'), '-h', `${url} ${secureUrl}`];
    child = startChild({ label: 'slapd', command, args });
    await child.waitForPort(port, 20_000);
  };
  const change = async (ldif: string): Promise<void> => {
    const args = ['-x', '-H', url, '-D', manager.dn, '-w', manager.password];
    const done = await run({
      label: 'ldapmodify',
      command: 'ldapmodify',
      args,
      input: ldif,
      withinMs: 20_000,
    });
    if (done.code !== 0) throw new Error(`ldapmodify: ${done.stderr}`);
  };
  await start();
  await change(toLdif(people, groups));
  return {
    ...{ url, secureUrl, ca, port, change, start },
    config: (changes = {}) => ({
      ...{ kind: 'ldap', name: 'directory', url, startTls: false, allowPlaintext: false, ca: null },
      ...{ bindDn: reader.dn, bindPassword: reader.password, baseDn: peopleBase, userAttribute: 'uid' },
      ...{ filter: null, subjectAttribute: 'entryUUID', displayNameAttribute: 'displayName' },
      ...{ mailAttribute: 'mail', groups: null },
      ...changes,
    }),
    pause: () => child?.signal('SIGSTOP'),
    resume: () => child?.signal('SIGCONT'),
    halt: async () => void (await child?.stop()),
    async stop() {
      child?.signal('SIGCONT');
      await child?.stop();
      await scratch.remove();
    },
  };
}

function settings(scratch: Scratch): string {
  const schemas = ['core', 'cosine', 'inetorgperson'].map(
    (name) => `include /etc/ldap/schema/${name}.schema`,
  );
  return [
    ...schemas,
    'modulepath /usr/lib/ldap',
    'moduleload back_mdb',
    'moduleload memberof',
    `pidfile ${scratch.file('slapd.pid')}`,
    `TLSCACertificateFile ${scratch.file('ca.pem')}`,
    `TLSCertificateFile ${scratch.file('server.pem')}`,
    `TLSCertificateKeyFile ${scratch.file('server.key')}`,
    'database mdb',
    `suffix "${directoryBase}"`,
    `rootdn "${manager.dn}"`,
    `rootpw "${manager.password}"`,
    `directory ${scratch.file('db')}`,
    'maxsize 33554432',
    'dbnosync',
    'overlay memberof',
    'access to attrs=userPassword by anonymous auth by * none',
    `access to * by dn.exact="${reader.dn}" read by * none`,
    '',
  ].join('\n');
}

/** Text may hold anything: it goes in as base64 (RFC 2849). */
function toLdif(
  people: readonly DirectoryPerson[],
  groups: Readonly<Record<string, readonly string[]>>,
): string {
  const entry = (
    dn: string,
    classes: readonly string[],
    attributes: readonly (readonly [string, string])[],
  ) =>
    [
      `dn:: ${base64(dn)}`,
      'changetype: add',
      ...classes.map((name) => `objectClass: ${name}`),
      ...attributes.map(([name, value]) => `${name}:: ${base64(value)}`),
    ].join('\n');
  const unit = (name: string): string =>
    entry(`ou=${name},${directoryBase}`, ['organizationalUnit'], [['ou', name]]);
  return [
    entry(
      directoryBase,
      ['dcObject', 'organization'],
      [
        ['dc', 'example'],
        ['o', 'Example'],
      ],
    ),
    entry(
      reader.dn,
      ['organizationalRole', 'simpleSecurityObject'],
      [
        ['cn', 'reader'],
        ['userPassword', reader.password],
      ],
    ),
    unit('people'),
    unit('groups'),
    ...people.map(({ uid, password, displayName, mail }) =>
      entry(
        personDn(uid),
        ['inetOrgPerson'],
        [
          ['uid', uid],
          ['cn', uid],
          ['sn', uid],
          ['userPassword', password],
          ...(displayName === undefined ? [] : [['displayName', displayName] as const]),
          ...(mail === undefined ? [] : [['mail', mail] as const]),
        ],
      ),
    ),
    ...Object.entries(groups).map(([name, members]) =>
      entry(
        groupDn(name),
        ['groupOfNames'],
        [['cn', name], ...members.map((uid) => ['member', personDn(uid)] as const)],
      ),
    ),
    '',
  ].join('\n\n');
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
