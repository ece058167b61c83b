import { isUtf8 } from 'node:buffer';
import type { MiddlewareHandler } from 'hono';
import type { ApiEnv } from './api-context.ts';
import { answerProblem } from './problem.ts';

/** Refuses bodies that are not UTF-8: decoded anyhow, two of them would be taken for one text (RFC 8259 section 8.1). */
export const refuseBadText: MiddlewareHandler<ApiEnv> = async (c, next) => {
  if (c.req.raw.body === null || isUtf8(await c.req.arrayBuffer())) return next();
  return answerProblem(c, 'malformed_body');
};
