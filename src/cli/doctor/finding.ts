/** One line of the doctor's report. */
export interface Finding {
  /** 'skip' was not looked at; the message says what it would take. */
  readonly level: 'ok' | 'warn' | 'fail' | 'skip';
  /** What was looked at, such as `route files: LOCK`. */
  readonly subject: string;
  readonly message: string;
  /** What to do; null where all is well. */
  readonly advice: string | null;
}

/** All is well. */
export function ok(subject: string, message: string): Finding {
  return { level: 'ok', subject, message, advice: null };
}

/** It works, but not for everybody or not for ever. */
export function warn(subject: string, message: string, advice: string): Finding {
  return { level: 'warn', subject, message, advice };
}

/** It does not work. */
export function fail(subject: string, message: string, advice: string): Finding {
  return { level: 'fail', subject, message, advice };
}

/** It was not looked at. */
export function skip(subject: string, message: string): Finding {
  return { level: 'skip', subject, message, advice: null };
}
