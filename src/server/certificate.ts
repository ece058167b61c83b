import { readFile } from 'node:fs/promises';
import type { ListenTlsConfig, TlsPair } from '../config/listen-config.ts';
import { checkCertificates } from '../config/secrets.ts';
import { pairProblem, validityOf, validityProblem } from '../config/tls-pair.ts';
import type { Clock } from '../core/clock.ts';
import type { Log } from '../telemetry/log.ts';

/** The certificate that clients are shown, and what its files hold. */
export interface Certificate {
  /** When the one that is shown expires, epoch milliseconds. */
  expiresMs(): number;
  /** False while the files hold what cannot be shown, so that a former pair is. */
  isCurrent(): boolean;
  /** Goes by another configuration: shows its pair where that counts now, and looks at its files from now on. */
  replace(tls: ListenTlsConfig): void;
  /** Stops looking at the files. */
  stop(): void;
}

/** What keeping a certificate needs. */
export interface CertificateDeps {
  readonly tls: ListenTlsConfig;
  readonly clock: Clock;
  readonly log: Log;
  /** Shows another pair from now on. */
  use(pair: TlsPair): void;
  /** How often the files are looked at. */
  readonly everyMs: number;
}

/**
 * Looks at the files of certificate and key for as long as the gateway runs, by their contents: what replaces them may
 * be a symbolic link further up (Kubernetes), or another file of the same name. A pair that is broken, does not match
 * or does not count now changes nothing; the log says why, once for each.
 */
export function createCertificate(deps: CertificateDeps): Certificate {
  const { clock, log } = deps;
  let { tls } = deps;
  let shown: TlsPair = tls;
  /** What was last found, and whether something was said of it: a second file may still be on its way. */
  let found: TlsPair = tls;
  let isTold = false;
  let current = true;
  const atStart = validityProblem(validityOf(tls.cert), clock.now());
  if (atStart !== null) tell(atStart, 'the certificate for clients does not count');

  function tell(reason: string, message: string): void {
    const advice = 'replace the files of `listen.tls`; they are read again by themselves';
    log.error({ reason, certFile: tls.certFile, keyFile: tls.keyFile, advice }, message);
  }

  const show = (pair: TlsPair): void => {
    const { untilMs } = validityOf(pair.cert);
    deps.use(pair);
    shown = pair;
    current = true;
    log.info({ expires: new Date(untilMs).toISOString() }, 'a new certificate is shown to clients');
  };

  const take = (pair: TlsPair): void => {
    const isFoundAgain = samePair(pair, found);
    found = pair;
    isTold &&= isFoundAgain;
    if (samePair(pair, shown)) {
      current = true;
      return;
    }
    const problem = whyNot(pair, clock.now());
    if (problem === null) {
      show(pair);
    } else if (isFoundAgain && !isTold) {
      isTold = true;
      current = false;
      tell(problem, 'the certificate for clients was not replaced: the former one stays');
    }
  };

  const look = async (): Promise<void> => {
    const from = tls;
    const [cert, key] = await Promise.all([textOf(from.certFile, from.cert), textOf(from.keyFile, from.key)]);
    if (from === tls) take({ cert, key });
  };

  let isLooking = false;
  const timer = setInterval(() => {
    if (isLooking || (tls.certFile === null && tls.keyFile === null)) return;
    isLooking = true;
    void look().finally(() => {
      isLooking = false;
    });
  }, deps.everyMs);
  timer.unref();
  return {
    expiresMs: () => validityOf(shown.cert).untilMs,
    isCurrent: () => current,
    replace(next) {
      tls = next;
      const pair = { cert: next.cert, key: next.key };
      // Read by who asked for it now: there is nothing to wait for.
      isTold &&= samePair(pair, found);
      found = pair;
      take(pair);
    },
    stop: () => clearInterval(timer),
  };
}

/** Why this pair is not shown, as a sentence; null where it is. */
function whyNot(pair: TlsPair, nowMs: number): string | null {
  const checked = checkCertificates(pair.cert);
  if ('wrong' in checked) return `listen.tls.cert ${checked.wrong}`;
  const problem = pairProblem(pair);
  if (problem !== null) return `listen.tls.key ${problem}`;
  const invalid = validityProblem(validityOf(pair.cert), nowMs);
  return invalid === null ? null : `listen.tls.cert ${invalid}`;
}

/** A file that is away, or not to be read, is as good as an empty one. */
async function textOf(file: string | null, fallback: string): Promise<string> {
  if (file === null) return fallback;
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch {
    return '';
  }
}

function samePair(a: TlsPair, b: TlsPair): boolean {
  return a.cert === b.cert && a.key === b.key;
}
