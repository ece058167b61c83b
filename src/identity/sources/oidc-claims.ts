import type { OidcConfig } from '../../config/sign-in-config.ts';

/** What a provider says of somebody: of the ID token and, where that says less, the UserInfo answer. */
export type Claims = Readonly<Record<string, unknown>>;

/** What the groups of somebody decide. */
export interface ClaimVerdict {
  readonly isAllowed: boolean;
  /** Null where the provider does not decide it. */
  readonly isAdmin: boolean | null;
}

/** A claim by its name, or by a path of names with dots where there is none of that name. */
export function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let value: unknown = claims;
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Claims)[part];
  }
  return value;
}

/** A claim that is a text; null where it is missing, empty or something else. */
export function textAt(claims: Claims, name: string): string | null {
  const value = claimAt(claims, name);
  return typeof value === 'string' && value !== '' ? value : null;
}

/** Whether groups decide anything. */
export function groupsDecide(config: Pick<OidcConfig, 'allowedGroups' | 'adminGroups'>): boolean {
  return config.allowedGroups.length > 0 || config.adminGroups.length > 0;
}

/** Judges by the groups that the claims name. Admins may sign in whether or not another group says so. */
export function judgeClaims(
  config: Pick<OidcConfig, 'groupsClaim' | 'allowedGroups' | 'adminGroups'>,
  claims: Claims,
): ClaimVerdict {
  const value = claimAt(claims, config.groupsClaim);
  const own: readonly unknown[] = Array.isArray(value) ? value : [value];
  const isIn = (wanted: readonly string[]): boolean => wanted.some((group) => own.includes(group));
  const isAdmin = config.adminGroups.length === 0 ? null : isIn(config.adminGroups);
  const isAllowed = config.allowedGroups.length === 0 || isIn(config.allowedGroups) || isAdmin === true;
  return { isAllowed, isAdmin };
}

/** Whether UserInfo has to be asked for what this product wants to know. */
export function lacksClaims(config: OidcConfig, claims: Claims): boolean {
  const wanted = ['name', 'email', ...(config.userName === 'uuid' ? [] : [config.userName])];
  if (groupsDecide(config)) wanted.push(config.groupsClaim);
  return wanted.some((name) => claimAt(claims, name) === undefined);
}
