import type { MiddlewareHandler } from 'hono';
import type { AdminKeys } from '../../management/admin-keys.ts';
import { readSessionSecret } from '../session-cookie.ts';
import { type ApiEnv, asWeb } from './api-context.ts';
import { answerProblem, answerUnauthenticated } from './problem.ts';

/** RFC 6750 section 2.1. */
const bearerForm = /^bearer +([A-Za-z0-9._~+/-]+=*) *$/i;
const challenge = 'Bearer realm="Latchkey"';

/**
 * Finds out who asks before anything else is looked at: an admin key as Bearer, or the person of the session. Whatever
 * else is sent, app tokens among it, is one and the same 401. Of two credentials none counts.
 */
export function authenticate(adminKeys: Pick<AdminKeys, 'recognise'>): MiddlewareHandler<ApiEnv> {
  return async (c, next) => {
    const authorization = c.req.header('Authorization');
    if (authorization === undefined) {
      const person = c.get('person');
      if (person === null) return answerUnauthenticated(c, [challenge]);
      c.set('caller', person);
      return next();
    }
    if (readSessionSecret(asWeb(c)) !== null) return answerProblem(c, 'two_credentials');
    const value = bearerForm.exec(authorization)?.[1];
    const key = value === undefined ? null : await adminKeys.recognise(value);
    // RFC 6750 section 3.1.
    if (key === null) return answerUnauthenticated(c, [`${challenge}, error="invalid_token"`]);
    c.set('caller', { kind: 'key', key, address: c.get('visit').address });
    return next();
  };
}
