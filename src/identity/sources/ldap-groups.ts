import type { LdapGroupsConfig } from '../../config/sign-in-config.ts';

/** What the groups of somebody decide. */
export interface GroupVerdict {
  readonly isAllowed: boolean;
  /** Null where the directory does not decide it. */
  readonly isAdmin: boolean | null;
}

/** Judges by the DNs of the groups that somebody is in. Admins may sign in whether or not another group says so. */
export function judgeGroups(config: LdapGroupsConfig, groupDns: readonly string[]): GroupVerdict {
  const own = new Set(groupDns.map(normalDn));
  const isIn = (wanted: readonly string[]): boolean => wanted.some((dn) => own.has(normalDn(dn)));
  const isAdmin = config.admin.length === 0 ? null : isIn(config.admin);
  return { isAllowed: config.allow.length === 0 || isIn(config.allow) || isAdmin === true, isAdmin };
}

/** Whether the groups have to be looked at at all. */
export function groupsDecide(config: LdapGroupsConfig | null): config is LdapGroupsConfig {
  return config !== null && (config.allow.length > 0 || config.admin.length > 0);
}

/** One spelling for DNs that differ in case or in spaces around their signs, as names of groups do. */
function normalDn(dn: string): string {
  return (
    dn
      // One space first: of many, each would be tried as the beginning of what stands around a sign.
      .replaceAll(/\s+/g, ' ')
      .replaceAll(/ ?(?<!\\)([,=+]) ?/g, '$1')
      .trim()
      .toLowerCase()
  );
}
