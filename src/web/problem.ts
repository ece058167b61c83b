import type { WebContext } from './context.ts';

/** A refusal or failure as pages and API tell it. */
export interface Problem {
  readonly status: number;
  /** For programs: a word that stays the same. */
  readonly code: string;
  /** For people: a sentence with the next step; holds nothing that was sent. */
  readonly detail: string;
  readonly retryAfterMs?: number;
}

/** Says how long to wait before asking again, in whole seconds and at least one (RFC 9110 section 10.2.3). */
export function setRetryAfter(c: WebContext, retryAfterMs: number): void {
  c.header('Retry-After', String(Math.max(1, Math.ceil(retryAfterMs / 1_000))));
}

/** One small problem+json (RFC 9457). `members` are further ones of the API. */
export function problemJson(
  c: WebContext,
  problem: Problem,
  members: Readonly<Record<string, unknown>> = {},
): Response {
  const { status, code, detail, retryAfterMs } = problem;
  const { requestId } = c.get('visit');
  if (retryAfterMs !== undefined) setRetryAfter(c, retryAfterMs);
  c.header('Content-Type', 'application/problem+json');
  const body = JSON.stringify({
    type: `urn:latchkey:problem:${code}`,
    status,
    code,
    detail,
    requestId,
    ...members,
  });
  return c.body(`${body}\n`, status as 400);
}
