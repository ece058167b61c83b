import { pino } from 'pino';
import type { Clock } from '../core/clock.ts';
import type { LogOutput } from './log-output.ts';

/** Plain facts beside a message. An `error` is written with its code, stack and causes. Never a secret. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The one way in which the product tells its operator something: one JSON line per call. */
export interface Log {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** What a log needs. */
export interface LogDeps {
  /** Lines below this level are not made. */
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly output: LogOutput;
  readonly clock: Clock;
}

/** Causes followed when an error is written; what lies deeper is left out. */
const causesMax = 4;

/** A log writing lines of level, time (epoch milliseconds), the given fields and `msg`. */
export function createLog(deps: LogDeps): Log {
  const logger = pino(
    {
      level: deps.level,
      base: null,
      errorKey: 'error',
      serializers: { error: describeError },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: () => `,"time":${deps.clock.now()}`,
    },
    deps.output,
  );
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
  };
}

/**
 * An error as plain data: named properties only, because drivers hang commands, requests and thereby
 * secrets on their errors.
 */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const hasCause = error.cause !== undefined && depth < causesMax;
  return {
    name: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(hasCause ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}
