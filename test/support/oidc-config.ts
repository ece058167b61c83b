import type { OidcConfig } from '../../src/config/sign-in-config.ts';

/** A provider as the configuration would have it, with the defaults of the file. */
export function oidcConfig(
  provider: Pick<OidcConfig, 'issuer'> & Partial<Pick<OidcConfig, 'clientId' | 'clientSecret'>>,
  changes: Partial<OidcConfig> = {},
): OidcConfig {
  return {
    ...{ kind: 'oidc', name: 'sso', label: 'Example', issuer: provider.issuer },
    ...{ clientId: provider.clientId ?? 'latchkey', clientSecret: provider.clientSecret ?? null },
    ...{ scopes: ['openid', 'profile', 'email'], userName: 'uuid', groupsClaim: 'groups' },
    ...{ allowedGroups: [], adminGroups: [], ca: null },
    ...changes,
  };
}
