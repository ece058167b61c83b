import { z } from 'zod';
import { parseIssuer, parseLdapUrl } from './sign-in-addresses.ts';
import type { HtpasswdConfig, LdapConfig, LdapGroupsConfig, OidcConfig } from './sign-in-config.ts';
import type { Parsed } from './quantities.ts';
import { duration, leaf, optional, parseFileName, secret, type SecretReference } from './schema-parts.ts';

/** A directory as written. */
export interface WrittenLdap extends Omit<LdapConfig, 'bindPassword' | 'ca'> {
  readonly bindPassword: SecretReference | null;
  readonly ca: SecretReference | null;
}

/** A provider as written. */
export interface WrittenOidc extends Omit<OidcConfig, 'clientSecret' | 'ca' | 'label'> {
  readonly label: string | null;
  readonly clientSecret: SecretReference | null;
  readonly ca: SecretReference | null;
}

/** `signIn` as written: secrets not yet read, paths not yet absolute. */
export interface WrittenSignIn {
  readonly ways: readonly ({ readonly kind: 'local' } | HtpasswdConfig | WrittenLdap | WrittenOidc)[];
  readonly checkIntervalMs: number;
}

const second = 1_000;
const hour = 3_600 * second;

/** Part of every kind: it tells the kinds apart and is described once for all of them. */
const kind = <Kind extends string>(name: Kind, description: string): z.ZodLiteral<Kind> =>
  z.literal(name).meta({ description });

const sourceName = leaf(parseSourceName, 'Name of this source; kept with each user that comes from it.');
const certificates = optional(
  secret('PEM certificates of the authority that signed its certificate; left out, the public ones.'),
);

const localSchema = z.strictObject({
  kind: kind('local', 'local: users kept here, with a password of their own.'),
});

const htpasswdSchema = z.strictObject({
  kind: kind('htpasswd', 'htpasswd: users of a file that Apache and nginx know too.'),
  name: sourceName,
  file: leaf(parseFileName, 'The file; read again when it changes.'),
});

const groupsSchema: z.ZodType<LdapGroupsConfig> = z.strictObject({
  attribute: leaf(parseAttribute, 'Attribute of the user that names its groups.').prefault('memberOf'),
  baseDn: optional(leaf(parseDn, 'Where groups are searched instead; left out, they are not.')),
  filter: leaf(parseGroupFilter, 'How a group of the user is found; {dn} is the user.').prefault(
    '(member={dn})',
  ),
  allow: z
    .array(leaf(parseDn, 'DN of a group.'))
    .default([])
    .meta({ description: 'Groups whose members may sign in; left out, everybody.' }),
  admin: z
    .array(leaf(parseDn, 'DN of a group.'))
    .default([])
    .meta({ description: 'Groups whose members are admins; left out, the directory does not decide that.' }),
});

const ldapSchema = z.strictObject({
  kind: kind('ldap', 'ldap: users of a directory: searched, then asked with their password.'),
  name: sourceName,
  url: leaf(parseLdapUrl, 'ldaps://HOST or ldap://HOST, with a port where it is another.'),
  startTls: z
    .boolean()
    .default(false)
    .meta({ description: 'Change to TLS on an ldap:// connection before anything is said.' }),
  allowPlaintext: z
    .boolean()
    .default(false)
    .meta({ description: 'Let passwords cross the network in clear: ldap:// without startTls.' }),
  ca: certificates,
  bindDn: optional(leaf(parseDn, 'Account that searches; left out, the search is anonymous.')),
  bindPassword: optional(secret('Its password.')),
  baseDn: leaf(parseDn, 'Where users are searched.'),
  userAttribute: leaf(parseAttribute, 'Attribute that people type as their login name.').prefault('uid'),
  filter: optional(
    leaf(parseFilter, 'What must be true of a user beside the name, such as (objectClass=person).'),
  ),
  subjectAttribute: leaf(
    parseAttribute,
    'Attribute that names an entry for ever; objectGUID in Active Directory.',
  ).prefault('entryUUID'),
  displayNameAttribute: leaf(parseAttribute, "Attribute of the person's name.").prefault('displayName'),
  mailAttribute: leaf(parseAttribute, 'Attribute of the mail address.').prefault('mail'),
  groups: optional(groupsSchema.meta({ description: 'What the groups of the directory decide.' })),
});

const groupNames = (description: string): z.ZodType<readonly string[]> =>
  z.array(leaf(parseText, 'Name of a group, as the provider spells it.')).default([]).meta({ description });

const oidcSchema = z.strictObject({
  kind: kind('oidc', 'oidc: users who sign in at an OpenID Connect provider.'),
  name: sourceName,
  label: optional(leaf(parseText, 'Shown on the button; left out, the name.')),
  issuer: leaf(parseIssuer, 'Issuer of the provider, exactly as it spells it.'),
  clientId: leaf(parseText, 'Id under which the gateway is registered there.'),
  clientSecret: optional(secret('Its secret; left out, a public client.')),
  scopes: z
    .array(leaf(parseScope, 'Scope.'))
    .default(['openid', 'profile', 'email'])
    .meta({ description: 'What is asked for; offline_access lets users be checked later.' }),
  userName: leaf(
    parseClaim,
    'Login name of new users: uuid, or a claim such as preferred_username.',
  ).prefault('uuid'),
  groupsClaim: leaf(parseClaim, 'Claim that names the groups.').prefault('groups'),
  allowedGroups: groupNames('Groups whose members may sign in; left out, everybody.'),
  adminGroups: groupNames('Groups whose members are admins; left out, the provider does not decide that.'),
  ca: certificates,
});

/** `signIn:` of the configuration file. */
export const signInSchema: z.ZodType<WrittenSignIn> = z
  .strictObject({
    ways: z
      .array(
        z.discriminatedUnion('kind', [localSchema, htpasswdSchema, ldapSchema, oidcSchema], {
          error: ({ code }) =>
            code === 'invalid_union'
              ? 'must be local, htpasswd, ldap or oidc'
              : 'must be a map that says of which kind it is, such as {kind: local}',
        }),
      )
      .min(1, { error: 'must hold at least one way to sign in, such as {kind: local}' })
      .default([{ kind: 'local' }])
      .meta({ description: 'Where users come from, in the order in which they are asked and shown.' }),
    checkInterval: duration('How often sources are asked whether their users still stand.', '5m', [
      10 * second,
      24 * hour,
    ]),
  })
  .transform(({ ways, checkInterval }) => ({ ways, checkIntervalMs: checkInterval }));

function parseSourceName(text: string): Parsed<string> {
  if (text === 'local') return { wrong: 'cannot be local, which means the users kept here' };
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return { value: text };
  return { wrong: 'must be lower-case letters, digits and hyphens, such as staff' };
}

function parseAttribute(text: string): Parsed<string> {
  if (/^[A-Za-z][A-Za-z0-9-]*$|^\d+(?:\.\d+)+$/.test(text)) return { value: text };
  return { wrong: 'must be the name of an attribute, such as uid' };
}

function parseDn(text: string): Parsed<string> {
  if (/^\s*[A-Za-z0-9.-]+\s*=[^\p{Cc}]+$/u.test(text)) return { value: text };
  return { wrong: 'must be a distinguished name, such as ou=people,dc=example,dc=org' };
}

function parseFilter(text: string): Parsed<string> {
  return /^\([^\p{Cc}]+\)$/u.test(text) && isBalanced(text)
    ? { value: text }
    : { wrong: 'must be a filter in parentheses, such as (objectClass=person)' };
}

function parseGroupFilter(text: string): Parsed<string> {
  const filter = parseFilter(text);
  if ('value' in filter && !text.includes('{dn}')) return { wrong: 'must hold {dn}, such as (member={dn})' };
  return filter;
}

/** RFC 4515: a parenthesis in a value is written as \28 or \29. */
function isBalanced(text: string): boolean {
  let depth = 0;
  for (const char of text) {
    if (char === '(') depth++;
    if (char === ')' && --depth < 0) return false;
  }
  return depth === 0;
}

function parseText(text: string): Parsed<string> {
  return /^[^\p{Cc}]{1,200}$/u.test(text) ? { value: text } : { wrong: 'must be a text of one line' };
}

function parseScope(text: string): Parsed<string> {
  return /^[!#-[\]-~]+$/.test(text) ? { value: text } : { wrong: 'must be a scope, such as openid' };
}

function parseClaim(text: string): Parsed<string> {
  return /^[^\s\p{Cc}]{1,200}$/u.test(text)
    ? { value: text }
    : { wrong: 'must be the name of a claim, such as preferred_username' };
}
