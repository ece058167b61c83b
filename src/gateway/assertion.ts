import { createPublicKey, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint, exportJWK, type JSONWebKeySet, SignJWT } from 'jose';
import type { Clock } from '../core/clock.ts';
import type { Principal } from '../core/principal.ts';
import { formatScope } from '../core/scope.ts';

/** Signs who is speaking, for backends that want proof. */
export interface AssertionSigner {
  /**
   * A JWT (EdDSA): `sub` user name, `aud` route, `jti` none, `token_id`, `scope`, valid for two
   * minutes. The same one for up to a minute of the same principal on the same route.
   */
  sign(principal: Principal, route: string): string | Promise<string>;
  /** The public keys, as served at `/.well-known/jwks.json`. */
  readonly jwks: JSONWebKeySet;
}

const reuseMs = 60_000;
const lifeSeconds = 120;

interface Signed {
  readonly jwt: string;
  readonly untilMs: number;
}

/** Prepares the signer; `privateKey` must be Ed25519. */
export async function createAssertionSigner(privateKey: KeyObject, clock: Clock): Promise<AssertionSigner> {
  const jwk = await exportJWK(createPublicKey(privateKey));
  const kid = await calculateJwkThumbprint(jwk);
  // Keyed by the principal itself: a change to the token makes a new principal and so a new JWT.
  const signed = new WeakMap<Principal, Map<string, Signed>>();
  const fresh = async (principal: Principal, route: string): Promise<string> => {
    const now = clock.now();
    const issuedAt = Math.floor(now / 1_000);
    const jwt = await new SignJWT({
      user_id: principal.userId,
      token_id: principal.tokenId,
      scope: principal.scopes.map(formatScope).join(' '),
    })
      .setProtectedHeader({ alg: 'EdDSA', kid, typ: 'JWT' })
      .setIssuer('latchkey')
      .setSubject(principal.userName)
      .setAudience(route)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + lifeSeconds)
      .sign(privateKey);
    const routes = signed.get(principal) ?? new Map<string, Signed>();
    routes.set(route, { jwt, untilMs: now + reuseMs });
    signed.set(principal, routes);
    return jwt;
  };
  return {
    jwks: { keys: [{ ...jwk, kid, alg: 'EdDSA', use: 'sig' }] },
    sign(principal, route) {
      const known = signed.get(principal)?.get(route);
      const now = clock.now();
      if (known !== undefined && now < known.untilMs && now > known.untilMs - reuseMs - 5_000)
        return known.jwt;
      return fresh(principal, route);
    },
  };
}
