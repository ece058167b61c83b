import { createPublicKey, type KeyObject } from 'node:crypto';
// By subpath: the whole package is three times as much code.
import type { JSONWebKeySet } from 'jose';
import { calculateJwkThumbprint } from 'jose/jwk/thumbprint';
import { SignJWT } from 'jose/jwt/sign';
import { exportJWK } from 'jose/key/export';
import type { Clock } from '../core/clock.ts';
import type { Principal } from '../core/principal.ts';
import { formatScope } from '../core/scope.ts';

/** Signs who is speaking, for backends that want proof. */
export interface AssertionSigner {
  /**
   * A JWT (EdDSA): `iss` latchkey, `sub` user name, `aud` route, `user_id`, `token_id` (null with a main password),
   * `scope`; no `jti`. Valid for two minutes. The same one for up to a minute of the same principal on the same route.
   */
  sign(principal: Principal, route: string): string | Promise<string>;
  /** The public keys, as served at `/.well-known/jwks.json`. */
  readonly jwks: JSONWebKeySet;
}

const reuseMs = 60_000;
const lifeSeconds = 120;

interface Signed {
  /** The promise until it is known: requests that come together share one signature. */
  jwt: string | Promise<string>;
  readonly fromMs: number;
}

/** Prepares the signer; `privateKey` must be Ed25519. */
export async function createAssertionSigner(privateKey: KeyObject, clock: Clock): Promise<AssertionSigner> {
  const jwk = await exportJWK(createPublicKey(privateKey));
  const kid = await calculateJwkThumbprint(jwk);
  // Keyed by the principal itself: a change to the token makes a new principal and so a new JWT.
  const signed = new WeakMap<Principal, Map<string, Signed>>();
  const fresh = (principal: Principal, route: string, now: number): Promise<string> => {
    const issuedAt = Math.floor(now / 1_000);
    return new SignJWT({
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
  };
  return {
    jwks: { keys: [{ ...jwk, kid, alg: 'EdDSA', use: 'sig' }] },
    sign(principal, route) {
      const now = clock.now();
      let routes = signed.get(principal);
      const known = routes?.get(route);
      // A clock that stepped back makes a new one, too: backends refuse what was issued in the future.
      if (known !== undefined && now >= known.fromMs && now < known.fromMs + reuseMs) return known.jwt;
      if (routes === undefined) signed.set(principal, (routes = new Map()));
      const pending = fresh(principal, route, now);
      const entry: Signed = { jwt: pending, fromMs: now };
      routes.set(route, entry);
      pending.then(
        (jwt) => {
          entry.jwt = jwt;
        },
        () => routes.delete(route),
      );
      return pending;
    },
  };
}
