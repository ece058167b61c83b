import { type Denial, deny, denyForNow, type Inbound } from '../core/decision.ts';
import type { Principal } from '../core/principal.ts';
import type { Guesses } from '../tokens/guesses.ts';
import type {
  Credential,
  RefusalReason,
  Tier,
  Verification,
  Verified,
  Verifier,
} from '../tokens/verification.ts';
import { authorize, type AuthorizeDeps, type Permit } from './authorize.ts';
import { type Presented, presentedCredential, type Scheme } from './credential.ts';
import { type HeadReaderDeps, readHead } from './read-head.ts';
import type { RequestHead } from './request-head.ts';
import type { Route } from './route.ts';
import type { RouteTable } from './routes.ts';

/** What a decision needs. */
export interface DecideDeps extends HeadReaderDeps {
  readonly routes: RouteTable<Route>;
  readonly verifier: Verifier;
  readonly guesses: Pick<Guesses, 'refused'>;
  readonly authorization: AuthorizeDeps;
}

/** What was found out on the way, whatever the answer. */
export interface Findings {
  readonly route: Route | null;
  readonly scheme: Scheme;
  /** Which tier verified the credential; 'none' where it did not come to that. */
  readonly tier: Tier;
  readonly clientAddress: string;
}

/** Yes, with everything needed to forward. */
export interface Allowed extends Findings {
  readonly kind: 'allow';
  readonly route: Route;
  readonly head: RequestHead;
  readonly principal: Principal;
  readonly permit: Permit;
  /** The query string without any credential. */
  readonly query: string;
}

/** No, with everything needed to refuse. */
export interface Refused extends Findings {
  readonly kind: 'refuse';
  readonly denial: Denial;
}

/** The answer to a request. */
export type Decision = Allowed | Refused;

/**
 * The one decision of the product: admit, route, credential, verify, authorize, in this order.
 * Never answers: all that may go out is `100 Continue`, before a body that has to be read to decide. Notes the use
 * of a token, or counts a guess. Without a promise where the credential is cached and no body has to be read.
 * @throws {Fault} where it cannot be decided; a promise rejects with the same.
 */
export function decide(inbound: Inbound, deps: DecideDeps): Decision | Promise<Decision> {
  const head = readHead(inbound, deps);
  if (head.kind === 'deny') return refuse(head, null, 'none', 'none', inbound.peerAddress);
  const { clientAddress } = head;
  const route = deps.routes.find(head.host, head.path);
  if (route === null) {
    const denial = deny('no_route', deps.routes.whyNone(head.host, head.path));
    return refuse(denial, null, 'none', 'none', clientAddress);
  }
  const presented = presentedCredential(head, route.accepted);
  if (presented.kind === 'deny') return refuse(presented, route, 'none', 'none', clientAddress);
  if (presented.credential === null) {
    const denial = deny('unauthenticated', 'no credential');
    return refuse(denial, route, presented.scheme, 'none', clientAddress);
  }
  const verification = deps.verifier.verify(presented.credential, {
    clientAddress,
    client: head.userAgent,
    mainPassword: route.mainPassword,
  });
  return verification instanceof Promise
    ? verification.then((verdict) => decideVerified(inbound, deps, head, route, presented, verdict))
    : decideVerified(inbound, deps, head, route, presented, verification);
}

function decideVerified(
  inbound: Inbound,
  deps: DecideDeps,
  head: RequestHead,
  route: Route,
  presented: Presented,
  verification: Verification,
): Decision | Promise<Decision> {
  const { scheme } = presented;
  const { clientAddress } = head;
  if (verification.kind === 'refused') {
    const denial = refusedCredential(verification.reason, presented.credential, clientAddress, deps.guesses);
    return refuse(denial, route, scheme, verification.tier, clientAddress);
  }
  const { principal } = verification;
  const permit = authorize(head, route.authorized, principal, inbound, deps.authorization);
  return permit instanceof Promise
    ? permit.then((read) => conclude(head, route, presented, verification, read))
    : conclude(head, route, presented, verification, permit);
}

function conclude(
  head: RequestHead,
  route: Route,
  { scheme, query }: Presented,
  { principal, tier }: Verified,
  permit: Permit | Denial,
): Decision {
  const { clientAddress } = head;
  if (permit.kind === 'deny') return refuse(permit, route, scheme, tier, clientAddress);
  return { kind: 'allow', route, scheme, tier, clientAddress, head, principal, permit, query };
}

/** One answer for every reason: 401, or 429 where there were too many guesses before. */
function refusedCredential(
  reason: RefusalReason,
  credential: Credential | null,
  clientAddress: string,
  guesses: Pick<Guesses, 'refused'>,
): Denial {
  const waitMs = credential === null ? 0 : guesses.refused(credential, clientAddress, reason);
  return waitMs > 0 ? denyForNow('too_many_failures', reason, waitMs) : deny('unauthenticated', reason);
}

function refuse(
  denial: Denial,
  route: Route | null,
  scheme: Scheme,
  tier: Tier,
  clientAddress: string,
): Refused {
  return { kind: 'refuse', denial, route, scheme, tier, clientAddress };
}
