import type { RouteConfig } from '../../../src/config/config.ts';
import type { TokenId, UserId } from '../../../src/core/ids.ts';
import type { Principal } from '../../../src/core/principal.ts';
import type { Scope } from '../../../src/core/scope.ts';
import { createClientSideReader } from '../../../src/gateway/client-side.ts';
import type { DecideDeps } from '../../../src/gateway/decide.ts';
import { createFieldRules } from '../../../src/gateway/field-rules.ts';
import { compileRoute, credentialNames, identityNames } from '../../../src/gateway/route.ts';
import { createRouteTable } from '../../../src/gateway/routes.ts';
import type { Credential } from '../../../src/tokens/verification.ts';

/** The one token that is valid here; its checksum is right. */
export const validToken = 'lk_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ0TyBiU';

/** Alice with these scopes. */
export function principalWith(scopes: readonly Scope[]): Principal {
  return {
    userId: '01900000-0000-7000-8000-000000000001' as UserId,
    userName: 'alice',
    tokenId: '01900000-0000-7000-8000-000000000002' as TokenId,
    scopes,
  };
}

/** What deciding needs for these routes, with a verifier that knows one token and notes what it is asked. */
export function decideDeps(
  configs: readonly RouteConfig[],
  scopes: readonly Scope[],
): { readonly deps: DecideDeps; readonly asked: Credential[] } {
  const limits = { connectMs: 1_000, backendHeadMs: 1_000, backendConnections: 1, backendWaitMs: 1_000 };
  const clock = { now: () => 0, monotonic: () => 0 };
  const compiled = configs.map((config) => compileRoute(config, configs, limits, clock, () => undefined));
  const routes = createRouteTable(compiled);
  const principal = principalWith(scopes);
  const asked: Credential[] = [];
  const deps: DecideDeps = {
    rules: createFieldRules(identityNames(configs), credentialNames(configs)),
    clientSide: createClientSideReader(['10.0.0.1']),
    hasOwnPages: () => false,
    routes,
    verifier: {
      verify(credential) {
        asked.push(credential);
        return credential.secret === validToken
          ? { kind: 'verified', principal, tier: 'l1' }
          : { kind: 'refused', reason: 'unknown', tier: 'l1' };
      },
    },
    guesses: { refused: () => 0 },
    authorization: {
      routeNameAt: (host, path) => routes.find(host, path)?.name ?? null,
      reportBytes: 65_536,
    },
  };
  return { deps, asked };
}
