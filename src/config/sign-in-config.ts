/** Users kept in an htpasswd file. */
export interface HtpasswdConfig {
  readonly kind: 'htpasswd';
  /** Kept with each user that comes from it. */
  readonly name: string;
  /** Absolute. */
  readonly file: string;
}

/** Users kept in a directory. */
export interface LdapConfig {
  readonly kind: 'ldap';
  readonly name: string;
  /** ldap:// or ldaps://, host and port only. */
  readonly url: string;
  /** Begin in clear and change to TLS before anything is said (RFC 4511 section 4.14). */
  readonly startTls: boolean;
  /** Passwords may cross the network in clear. */
  readonly allowPlaintext: boolean;
  /** PEM text of the authorities trusted; null: the public ones. */
  readonly ca: string | null;
  /** Who searches; null searches anonymously. */
  readonly bindDn: string | null;
  readonly bindPassword: string | null;
  readonly baseDn: string;
  /** Which attribute people type as their login name. */
  readonly userAttribute: string;
  /** What must be true of a user beside the name (RFC 4515); null: nothing. */
  readonly filter: string | null;
  /** What the directory calls an entry for ever. */
  readonly subjectAttribute: string;
  readonly displayNameAttribute: string;
  readonly mailAttribute: string;
  readonly groups: LdapGroupsConfig | null;
}

/** Which groups may sign in, and whose members are admins. DNs. */
export interface LdapGroupsConfig {
  /** Attribute of the user that names its groups; unused where `baseDn` is given. */
  readonly attribute: string;
  /** Where groups are searched instead; null: they are not. */
  readonly baseDn: string | null;
  /** How a group is found that holds {dn}. */
  readonly filter: string;
  /** Empty: everybody. */
  readonly allow: readonly string[];
  /** Empty: the groups do not decide who is an admin. */
  readonly admin: readonly string[];
}

/** Users who sign in at an OpenID Connect provider. */
export interface OidcConfig {
  readonly kind: 'oidc';
  readonly name: string;
  /** For the button. */
  readonly label: string;
  readonly issuer: string;
  readonly clientId: string;
  /** Null: a public client. */
  readonly clientSecret: string | null;
  readonly scopes: readonly string[];
  /** 'uuid', or the claim that becomes the login name. */
  readonly userName: string;
  readonly groupsClaim: string;
  /** Empty: everybody. */
  readonly allowedGroups: readonly string[];
  /** Empty: the groups do not decide who is an admin. */
  readonly adminGroups: readonly string[];
  /** PEM text of the authorities trusted; null: the public ones. */
  readonly ca: string | null;
}

/** A way to sign in. */
export type WayConfig = { readonly kind: 'local' } | HtpasswdConfig | LdapConfig | OidcConfig;

/** How people sign in. */
export interface SignInConfig {
  /** In the order in which they are asked and shown. Default: local users alone. */
  readonly ways: readonly WayConfig[];
  /** How often each source is asked whether its users still stand. Default 5 min. */
  readonly checkIntervalMs: number;
}
