import type { Refused } from '../../management/refused.ts';
import type { SignInRefusal } from '../../management/sign-in.ts';
import { problemJson } from '../problem.ts';
import { type ApiContext, asWeb } from './api-context.ts';
import { type ProblemCode, problemKinds } from './problem-kinds.ts';

/** One thing wrong with a request. Names the place, never repeats what stood there. */
export interface PlaceProblem {
  /** RFC 6901 pointer into the body. */
  readonly pointer?: string;
  /** Name of a query parameter. */
  readonly parameter?: string;
  readonly detail: string;
}

/** Where a refusal says itself how long to wait, that; else this. */
const throttledMs = 60_000;

/** Answers with a problem of the API's own (RFC 9457); `errors` where several places are wrong. */
export function answerProblem(
  c: ApiContext,
  code: ProblemCode,
  more: { readonly errors?: readonly PlaceProblem[]; readonly retryAfterMs?: number } = {},
): Response {
  const { status, title, detail } = problemKinds[code];
  const { errors, ...wait } = more;
  return problemJson(asWeb(c), { status, code, detail, ...wait }, { title, errors });
}

/** Answers that a credential is needed, or another one, with these challenges (RFC 9110 section 11.6.1). */
export function answerUnauthenticated(c: ApiContext, challenges: readonly string[]): Response {
  for (const challenge of challenges) c.header('WWW-Authenticate', challenge, { append: true });
  return answerProblem(c, 'unauthenticated');
}

/** Answers with a refusal of the rules below; its own sentence goes out only where that repeats nothing of the request. */
export function answerRefusal(c: ApiContext, refusal: Refused | SignInRefusal): Response {
  const { code } = refusal;
  const { status, title, pointer, speaksForItself, ...kind } = problemKinds[code];
  const detail = speaksForItself === true ? refusal.detail : kind.detail;
  const errors = pointer === undefined ? undefined : [{ pointer, detail }];
  const wait = status === 429 ? { retryAfterMs: throttledMs } : {};
  const told = 'retryAfterMs' in refusal ? { retryAfterMs: refusal.retryAfterMs } : {};
  return problemJson(asWeb(c), { status, code, detail, ...wait, ...told }, { title, errors });
}
