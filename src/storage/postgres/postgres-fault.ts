import { DatabaseError } from 'pg';
import { Fault } from '../../core/errors.ts';

/** By SQLSTATE (PostgreSQL, appendix A), or by its class of two characters. */
const serverSays: Readonly<Record<string, string>> = {
  '28P01': 'refuses the password: check `store`, and that of the user at the server',
  '28000':
    'refuses this user: check that the role exists, may log in, and that pg_hba.conf lets it in from here',
  '3D000': 'has no such database: make it with CREATE DATABASE, or name another in `store`',
  '25006': 'takes no changes: it is a standby, or read-only; name the primary as the store',
  '42501': 'lets this user not do what is needed: make it the owner of the database and of the tables in it',
  '42P01': 'lacks tables of Latchkey: restore them, or restart Latchkey to make them anew',
  '42703': 'lacks columns of Latchkey: restore its tables as they were',
  '53100': 'cannot write: its disk is full; make room there',
  '53300': 'has no connection left: raise max_connections there, or lower poolMax of `store`',
  '55P03': 'keeps what is to be changed locked; try again in a moment',
  '57014': 'did not finish in time; try again in a moment',
  '57P01': 'is being shut down; try again when it is back',
  '57P03': 'is starting up or shutting down; try again in a moment',
  '40': 'could not order this change among others; try again in a moment',
  '08': 'broke off the connection; try again in a moment',
  '53': 'is short of memory or other means',
  '57': 'broke off the work; try again in a moment',
  '58': 'reports an error of its disk or system',
  XX: 'reports damage within: look into its log before anything else',
  '25': 'broke off the change, which had waited too long; try again in a moment',
};

/** By the code of the system or of TLS. */
const systemSays: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'cannot be reached: nothing listens there; check that it runs and that `store` names it',
  ENOENT: 'cannot be reached: there is no such socket; check that it runs and that `store` names its folder',
  EACCES: 'cannot be reached: this user may not use the socket; check its folder',
  ENOTFOUND: 'cannot be reached: there is no host of that name; correct it in `store`',
  EAI_AGAIN: 'cannot be reached: the name of its host cannot be looked up just now',
  ECONNRESET: 'broke off the connection; try again in a moment',
  EPIPE: 'broke off the connection; try again in a moment',
  ETIMEDOUT: 'cannot be reached: no answer; check the network between',
  EHOSTUNREACH: 'cannot be reached: no way to its host; check the network between',
  ENETUNREACH: 'cannot be reached: no way to its network; check the network between',
  CERT_HAS_EXPIRED: 'has a certificate that has expired: renew it there',
  ERR_TLS_CERT_ALTNAME_INVALID:
    'has a certificate for another name: name the host in `store` as the certificate does',
};

const uncertified =
  'has a certificate of no authority known here: give that of its authority as tls: {ca: {fromFile: PATH}} of `store`';

/** By what `pg` says, which has no codes of its own. */
const driverSays: readonly (readonly [pattern: RegExp, sentence: string])[] = [
  [
    /does not support SSL/,
    'speaks no TLS: switch ssl on there; only on a trusted network leave tls out of `store`',
  ],
  [/SASL|SCRAM|password/i, 'asks for a password that it does not get: give it as password of `store`'],
  [
    /exceeded when trying to connect/,
    'gives us no connection in time: it does not answer, or all of ours are busy; check that it is well',
  ],
  [/timeout/i, 'does not answer; check that it is well, and the network between'],
  [/terminated|not queryable|closed/i, 'broke off the connection; try again in a moment'],
];

/**
 * What PostgreSQL or the way to it reports, as `Fault('store_unavailable')` with a sentence that names the database and the
 * next step. Constraint violations and everything that is not PostgreSQL's are bugs and returned as they are.
 */
export function toFault(error: unknown, name: string): unknown {
  if (error instanceof Fault || !(error instanceof Error)) return error;
  const sentence = sentenceOf(error);
  return sentence === undefined ? error : storeFault(name, `${sentence}.`, error);
}

/** The same for what comes of connecting, where whoever listens may speak something else. */
export function toConnectFault(error: unknown, name: string): unknown {
  if (!(error instanceof Error && error.message === 'Connection terminated unexpectedly'))
    return toFault(error, name);
  const sentence =
    'cannot be reached: whoever listens there closed the connection at once; it is just being restarted, or it is no ' +
    'PostgreSQL: check host and port in `store`.';
  return storeFault(name, sentence, error);
}

/** The fault of this database; the sentence goes on behind its name. */
export function storeFault(name: string, sentence: string, cause?: unknown): Fault {
  return new Fault('store_unavailable', `The store ${name} ${sentence}`, cause);
}

function sentenceOf(error: Error): string | undefined {
  const code = codeOf(error);
  if (error instanceof DatabaseError) return serverSays[code] ?? serverSays[code.slice(0, 2)];
  if (systemSays[code] !== undefined) return systemSays[code];
  if (/CERT|SIGNATURE|ISSUER/.test(code)) return uncertified;
  if (code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS'))
    return `speaks no TLS that is understood (${code})`;
  const said = driverSays.find(([pattern]) => pattern.test(error.message))?.[1];
  return said ?? (error.cause instanceof Error ? sentenceOf(error.cause) : undefined);
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether the server itself said so, over a connection that is whole. */
export function isServersWord(error: unknown): boolean {
  return error instanceof DatabaseError && !/^(08|57P)/.test(codeOf(error));
}

/** Whether a transaction failed for what others did beside it, and may succeed at once (classes 40P01, 40001). */
export function isCollision(error: unknown): boolean {
  return error instanceof DatabaseError && codeOf(error).startsWith('40');
}

/** Whether the server forbids it, or does not have it. */
export function isLacking(error: unknown): boolean {
  return error instanceof DatabaseError && /^(42501|0A000|58P01|42704|42883)$/.test(codeOf(error));
}
