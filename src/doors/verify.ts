/*
 * `POST /verify`: servers that speak no HTTP to their clients ask here whether a credential counts (RFC 7662).
 */
import { type DenialCode, Fault, faults } from '../core/errors.ts';
import type { Principal } from '../core/principal.ts';
import { expandScope, formatScope, type Scope } from '../core/scope.ts';
import { isScopeWithin } from '../core/scope-within.ts';
import { readAuthorization } from '../gateway/credential.ts';
import type { Recorder } from '../gateway/record.ts';
import type { AdminKeyRecord } from '../identity/admin-key-store.ts';
import type { AdminKeys } from '../management/admin-keys.ts';
import type { Guesses } from '../tokens/guesses.ts';
import type { TokenStore } from '../tokens/token-store.ts';
import type { Credential, Verification, Verifier } from '../tokens/verification.ts';
import type { DoorReply } from './door.ts';
import { readVerifyForm, type VerifyQuestion } from './verify-form.ts';

/** A request to `/verify`. */
export interface VerifyRequest {
  readonly method: string;
  /** What stands behind `/verify` in the target. */
  readonly rest: string;
  /** Flat name, value, name, value … as received. */
  readonly rawHeaders: readonly string[];
  readonly peerAddress: string;
  /** The body as UTF-8; null where it is longer than `bytesMax`, or its end did not come. */
  readBody(bytesMax: number): Promise<string | null>;
}

/** What verifying needs. */
export interface VerifyDeps {
  readonly adminKeys: Pick<AdminKeys, 'recognise'>;
  readonly verifier: Verifier;
  readonly guesses: Pick<Guesses, 'refused'>;
  readonly tokens: Pick<TokenStore, 'get'>;
  readonly recorder: Recorder;
  /** Whether this route accepts main passwords; null where there is no such route. */
  acceptsMainPassword(route: string): boolean | null;
  nextRequestId(): string;
}

/** Longest body: a secret, a name and a few scopes. */
const bodyBytesMax = 16_384;

/** How one question ended, for its record. */
interface End {
  readonly reply: DoorReply;
  readonly outcome: 'ok' | DenialCode;
  readonly reason: string | null;
  readonly verification?: Verification;
  readonly address?: string;
}

/**
 * Answers one request, and records it. Who sends no admin key with the scope `verify` is told nothing, whatever else
 * is sent; a refusal never says why. Never rejects: a fault is 5xx.
 */
export async function answerVerify(request: VerifyRequest, deps: VerifyDeps): Promise<DoorReply> {
  const startedMs = performance.now();
  const requestId = deps.nextRequestId();
  deps.recorder.begin();
  let end: End | null = null;
  let fault: Fault | null = null;
  try {
    end = await answer(request, deps);
  } catch (error) {
    fault = error instanceof Fault ? error : new Fault('internal', 'unexpected error', error);
    deps.recorder.fault(requestId, error, null);
  }
  const reply = end?.reply ?? faultReply(fault);
  const durationMs = performance.now() - startedMs;
  const principal = end?.verification?.kind === 'verified' ? end.verification.principal : null;
  deps.recorder.record({
    requestId,
    method: request.method,
    route: null,
    scheme: 'other',
    status: reply.status,
    outcome: fault?.code ?? end?.outcome ?? 'aborted',
    reason: fault?.message ?? end?.reason ?? null,
    userName: principal?.userName ?? null,
    tokenId: principal?.tokenId ?? null,
    tier: end?.verification?.tier ?? 'none',
    clientAddress: end?.address ?? request.peerAddress,
    bytesIn: 0,
    bytesOut: reply.body.length,
    durationMs,
    decisionMs: durationMs,
    backendMs: 0,
  });
  return reply;
}

async function answer(request: VerifyRequest, deps: VerifyDeps): Promise<End> {
  if (request.method !== 'POST') {
    return {
      reply: problem(405, 'invalid_request', 'Ask by POST.', ['Allow', 'POST']),
      outcome: 'method_refused',
      reason: null,
    };
  }
  const key = await callersKey(request.rawHeaders, deps.adminKeys);
  if (key === null) return unauthenticated;
  if (!key.scopes.includes('verify')) return insufficientKey;
  // A secret in the target stands in logs by now; what the body holds is not looked at then.
  if (request.rest !== '') return malformed('Parameters belong in the body.');
  const body = await request.readBody(bodyBytesMax);
  if (body === null) return malformed('The body is too long, or was cut off.');
  const question = readVerifyForm(fieldOf(request.rawHeaders, 'content-type'), body);
  if (typeof question === 'string') return malformed(question);
  const mainPassword = question.route === null ? false : deps.acceptsMainPassword(question.route);
  if (mainPassword === null) return malformed('The parameter route names no route of the configuration.');
  return verify(question, mainPassword, key, deps);
}

async function verify(
  question: VerifyQuestion,
  mainPassword: boolean,
  key: AdminKeyRecord,
  deps: VerifyDeps,
): Promise<End> {
  const { secret, userName, address, scopes } = question;
  const credential: Credential =
    userName === null ? { channel: 'bearer', secret } : { channel: 'basic', user: userName, secret };
  const context = { clientAddress: address, client: key.name, mainPassword };
  const verification = await deps.verifier.verify(credential, context);
  if (verification.kind === 'refused') {
    const waitMs = deps.guesses.refused(credential, address, verification.reason);
    const outcome = waitMs > 0 ? 'too_many_failures' : 'unauthenticated';
    return { reply: inactive(waitMs), outcome, reason: verification.reason, verification, address };
  }
  const { principal } = verification;
  if (!scopes.every((scope) => mayAll(principal, scope))) {
    return { reply: inactive(0), outcome: 'outside_scope', reason: 'scope', verification, address };
  }
  const claims = await claimsOf(principal, deps);
  const reply = claims === null ? inactive(0) : json(200, { active: true, ...claims });
  const outcome = claims === null ? 'unauthenticated' : 'ok';
  return { reply, outcome, reason: claims === null ? 'revoked' : null, verification, address };
}

/** Whether one scope of the principal's lets it do all of this. */
function mayAll({ scopes, userName }: Principal, wanted: Scope): boolean {
  const expanded = expandScope(wanted, userName);
  if (expanded.kind === 'scope_problem') return false;
  return scopes.some((scope) => isScopeWithin(expanded, scope));
}

/** RFC 7662 section 2.2; null where the token ended since it was looked at. */
async function claimsOf(principal: Principal, deps: VerifyDeps): Promise<object | null> {
  const { userId, userName, tokenId, scopes } = principal;
  const who = { sub: userId, username: userName, scope: scopes.map(formatScope).join(' ') };
  if (tokenId === null) return who;
  const owned = await deps.tokens.get(tokenId);
  if (owned === null || owned.token.revokedAt !== null) return null;
  const { createdAt, expiresAt, notBefore } = owned.token;
  return {
    ...who,
    client_id: tokenId,
    token_type: 'Bearer',
    iat: seconds(createdAt),
    ...(notBefore === null ? {} : { nbf: seconds(notBefore) }),
    ...(expiresAt === null ? {} : { exp: seconds(expiresAt) }),
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1_000);
}

/** The caller's admin key: as Bearer, or as the password of Basic (RFC 6749 section 2.3.1). */
async function callersKey(
  rawHeaders: readonly string[],
  adminKeys: Pick<AdminKeys, 'recognise'>,
): Promise<AdminKeyRecord | null> {
  const field = fieldOf(rawHeaders, 'authorization');
  if (field === null) return null;
  const read = readAuthorization(field);
  if ('kind' in read || read.credential === null) return null;
  return adminKeys.recognise(read.credential.secret);
}

/** The value of a field that stands once; null where it stands twice or not at all. */
function fieldOf(rawHeaders: readonly string[], name: string): string | null {
  let found: string | null = null;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if ((rawHeaders[at] as string).toLowerCase() !== name) continue;
    if (found !== null) return null;
    found = rawHeaders[at + 1] as string;
  }
  return found;
}

function json(status: number, value: object, extra: readonly string[] = []): DoorReply {
  const fields = ['Content-Type', 'application/json', 'Cache-Control', 'no-store', ...extra];
  return { status, fields, body: `${JSON.stringify(value)}\n` };
}

/** One answer for every reason; where somebody guesses, with the time after which it makes sense to ask again. */
function inactive(waitMs: number): DoorReply {
  return json(200, { active: false }, waitMs > 0 ? ['Retry-After', String(Math.ceil(waitMs / 1_000))] : []);
}

/** RFC 6749 section 5.2. */
function problem(
  status: number,
  error: string,
  description: string,
  extra: readonly string[] = [],
): DoorReply {
  return json(status, { error, error_description: description }, extra);
}

function malformed(description: string): End {
  return {
    reply: problem(400, 'invalid_request', description),
    outcome: 'malformed_request',
    reason: 'verify_form',
  };
}

const challenges = [
  ...['WWW-Authenticate', 'Basic realm="Latchkey verify"'],
  ...['WWW-Authenticate', 'Bearer realm="Latchkey verify"'],
];
const unauthenticated: End = {
  reply: problem(401, 'invalid_client', 'An admin key with the scope verify is needed.', challenges),
  outcome: 'unauthenticated',
  reason: 'no_admin_key',
};
const insufficientKey: End = {
  reply: problem(403, 'insufficient_scope', 'The admin key lacks the scope verify.', [
    'WWW-Authenticate',
    'Bearer realm="Latchkey verify", error="insufficient_scope", scope="verify"',
  ]),
  outcome: 'outside_scope',
  reason: 'admin_key_scope',
};

function faultReply(fault: Fault | null): DoorReply {
  const { status, detail } = faults[fault?.code ?? 'internal'];
  return problem(status, 'server_error', detail, status === 503 ? ['Retry-After', '2'] : []);
}
