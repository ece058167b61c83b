import { type Denial, deny, type Inbound } from '../core/decision.ts';
import { withoutOwnCookies } from '../core/own-cookies.ts';
import type { Principal } from '../core/principal.ts';
import type { AssertionSigner } from '../gateway/assertion.ts';
import { assertionFor, backendTarget, harmlessReferer, relatedFields } from '../gateway/backend-request.ts';
import { type Allowed, decide, type DecideDeps, type Decision } from '../gateway/decide.ts';
import { slot } from '../gateway/field-rules.ts';
import { asFault } from '../gateway/pipeline.ts';
import { type Recorder, whoAndWhere } from '../gateway/record.ts';
import { type Refusal, renderDenial, renderFault } from '../gateway/refusal.ts';

/** What the proxy that asks does with an answer; what it cannot do is refused instead. */
export interface Abilities {
  /** Fields that it takes off a request where an answer does not set them, lower case; null: whatever it is told to. */
  readonly removes: ReadonlySet<string> | null;
  /**
   * Whether it sets every field that it is told, in place of the client's own; false where it sets those that its own
   * configuration names, and passes the client's on where that lacks one.
   */
  readonly setsWhatIsTold: boolean;
  /** Whether it forwards the target that it is told. */
  readonly replacesTarget: boolean;
}

/** A request as a door describes it: what the client sent to the proxy that asks. */
export interface Asked {
  readonly method: string;
  /** Origin-form as the client sent it. */
  readonly target: string;
  readonly host: string;
  readonly scheme: 'http' | 'https';
  /** An IP address in its usual spelling. */
  readonly clientAddress: string;
  /** The client's own, flat; neither Host nor framing nor any field of the door's family. */
  readonly rawHeaders: readonly string[];
  readonly proxy: Abilities;
}

/** Yes, with what the backend is to be told. */
export interface Allowance {
  readonly kind: 'allow';
  /**
   * Flat names and values for the backend in place of the client's own: identity, assertion, Authorization; Cookie and
   * Referer as far as they hold nothing of ours; Destination and If as they were understood.
   */
  readonly fields: readonly string[];
  /** Names that the client sent and the backend must not get, as they were spelled. */
  readonly removed: readonly string[];
  /** The target without a credential in its query. */
  readonly target: string;
}

/** No, as the client is to be told. */
export interface Refusing {
  readonly kind: 'refuse';
  readonly status: number;
  /** Content-Type, WWW-Authenticate, Retry-After and the like, flat. */
  readonly fields: readonly string[];
  readonly body: string;
  /** What the route would ask for in a 401; empty where there is no route. */
  readonly challenge: readonly string[];
}

/** What a door hears. */
export type Answer = Allowance | Refusing;

/** What asking needs; `clientSide` must believe what the door says, and no field of the client's. */
export interface AskDeps extends DecideDeps {
  readonly assertions: Pick<AssertionSigner, 'sign'>;
  readonly recorder: Recorder;
  nextRequestId(): string;
}

/** One question under way. */
interface Question {
  readonly asked: Asked;
  readonly requestId: string;
  readonly startedMs: number;
}

/**
 * The decision for a request that another proxy will forward, recorded like any other. Never throws or rejects: a fault
 * is a refusal with 5xx. Without a promise where the credential and the assertion are cached.
 */
export function ask(asked: Asked, deps: AskDeps): Answer | Promise<Answer> {
  const question = { asked, requestId: deps.nextRequestId(), startedMs: performance.now() };
  deps.recorder.begin();
  try {
    const decision = decide(inboundOf(asked), deps);
    if (!(decision instanceof Promise)) return conclude(question, decision, deps);
    return decision.then(
      (settled) => conclude(question, settled, deps),
      (error: unknown) => fail(question, error, null, deps),
    );
  } catch (error) {
    return fail(question, error, null, deps);
  }
}

function inboundOf({ method, target, host, scheme, clientAddress, rawHeaders }: Asked): Inbound {
  return {
    method,
    target,
    rawHeaders: [...rawHeaders, 'Host', host],
    exactLine: true,
    httpVersion: '1.1',
    peerAddress: clientAddress,
    tls: scheme === 'https',
    readBody: refuseBody,
  };
}

/** What a REPORT or SEARCH reads is in its body, which stays with the proxy that asks. */
function refuseBody(_bytesMax: number, principal: Principal): Promise<Denial> {
  return Promise.resolve(deny('outside_scope', 'body not seen at a door', principal));
}

function conclude(question: Question, decision: Decision, deps: AskDeps): Answer | Promise<Answer> {
  if (decision.kind === 'refuse') {
    const { denial, route, scheme } = decision;
    const refusal = renderDenial(denial, route?.challenge ?? null, scheme === 'bearer', question.requestId);
    return refuse(question, decision, refusal, denial, deps);
  }
  try {
    const assertion = assertionFor(decision, deps.assertions);
    if (!(assertion instanceof Promise)) return allow(question, decision, assertion, deps);
    return assertion
      .then((signed) => allow(question, decision, signed, deps))
      .catch((error: unknown) => fail(question, error, decision, deps));
  } catch (error) {
    return fail(question, error, decision, deps);
  }
}

function allow(question: Question, allowed: Allowed, assertion: string | null, deps: AskDeps): Answer {
  const { fields, removed } = fieldsFor(question.asked, allowed, assertion, deps);
  const answer: Allowance = { kind: 'allow', fields, removed, target: backendTarget(allowed) };
  const denial = beyond(question.asked, answer, allowed.principal);
  if (denial !== null) {
    const refusal = renderDenial(denial, allowed.route.challenge, false, question.requestId);
    return refuse(question, allowed, refusal, denial, deps);
  }
  record(question, allowed, { status: 200, outcome: 'ok', reason: null, bytesOut: 0 }, deps);
  return answer;
}

/** Of what the backend must not get, and the proxy would pass on. */
function beyond({ target, proxy }: Asked, answer: Allowance, principal: Principal): Denial | null {
  const { removes, setsWhatIsTold, replacesTarget } = proxy;
  const mayPassOn = (name: string): boolean =>
    removes?.has(name) === false || (!setsWhatIsTold && name !== 'authorization' && isSet(answer, name));
  if (answer.removed.some((name) => mayPassOn(name.toLowerCase()))) {
    return deny('malformed_header', 'a field that this proxy would pass on', principal);
  }
  if (!replacesTarget && answer.target !== target) {
    return deny('token_in_url', 'a query that this proxy would pass on', principal);
  }
  return null;
}

function isSet({ fields }: Allowance, lowerName: string): boolean {
  return fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === lowerName);
}

function refuse(
  question: Question,
  decision: Decision | null,
  { status, fields, body }: Refusal,
  { code: outcome, reason }: Pick<Denial, 'code' | 'reason'>,
  deps: AskDeps,
): Refusing {
  record(question, decision, { status, outcome, reason, bytesOut: body.length }, deps);
  return {
    kind: 'refuse',
    status,
    fields,
    body,
    challenge: decision?.route?.challenge.unauthenticated ?? [],
  };
}

function fail(question: Question, error: unknown, decision: Decision | null, deps: AskDeps): Refusing {
  const { code, message } = asFault(error, question.requestId, decision, deps.recorder);
  const { status, fields, body } = renderFault(code, question.requestId);
  record(question, decision, { status, outcome: code, reason: message, bytesOut: body.length }, deps);
  return { kind: 'refuse', status, fields, body, challenge: [] };
}

type End = Pick<Parameters<Recorder['record']>[0], 'status' | 'outcome' | 'reason' | 'bytesOut'>;

function record(
  { asked, requestId, startedMs }: Question,
  decision: Decision | null,
  end: End,
  deps: AskDeps,
): void {
  const durationMs = performance.now() - startedMs;
  const { route, scheme, tier, userName, tokenId, clientAddress } = whoAndWhere(
    decision,
    asked.clientAddress,
  );
  const { status, outcome, reason, bytesOut } = end;
  deps.recorder.record({
    requestId,
    route,
    status,
    outcome,
    reason,
    scheme,
    tier,
    userName,
    tokenId,
    clientAddress,
    bytesOut,
    method: asked.method,
    bytesIn: 0,
    durationMs,
    decisionMs: durationMs,
    backendMs: 0,
  });
}

/** What the backend gets in place of the client's own, and what it must not get: one look at each field. */
function fieldsFor(
  { rawHeaders }: Asked,
  allowed: Allowed,
  assertion: string | null,
  { rules }: AskDeps,
): Pick<Allowance, 'fields' | 'removed'> {
  const { route, principal, permit } = allowed;
  const fields: string[] = [];
  const removed: string[] = [];
  for (const identity of route.identity) fields.push(identity.name, identity.render(principal));
  if (assertion !== null) fields.push(route.config.identity.assertion as string, assertion);
  const authorization = route.backendAuthorization(principal.userName);
  if (authorization !== null) fields.push('Authorization', authorization);
  fields.push(...relatedFields(allowed));
  const cookies: string[] = [];
  let emptied: string | null = null;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    const value = rawHeaders[at + 1] as string;
    const rule = rules.ruleOf(name);
    if (rule === null) continue;
    if (rule.kind === 'cookie') {
      const others = withoutOwnCookies(value) ?? value;
      if (others === '') emptied = name;
      else cookies.push(others);
    } else if (rule.kind === 'credential' || (rule.kind === 'drop' && rule.obeyed)) {
      removed.push(name);
    } else if (rule.kind === 'once') {
      if (rule.slot === slot.authorization || rule.slot === slot.methodOverride) removed.push(name);
      else if (rule.slot === slot.destination && permit.dropDestination) removed.push(name);
      else if (rule.slot === slot.referer) {
        const harmless = harmlessReferer(value, route.accepted.queries.length > 0);
        if (harmless === null) removed.push(name);
        else fields.push('Referer', harmless);
      }
    }
  }
  if (cookies.length > 0) fields.push('Cookie', cookies.join('; '));
  else if (emptied !== null) removed.push(emptied);
  return { fields, removed };
}
