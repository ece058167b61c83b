import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A request as bytes, and what has to become of it. */
export interface FramingCase {
  readonly id: string;
  /** 1 must hold; 2 should. */
  readonly tier: 1 | 2;
  readonly why: string;
  /** Latin-1 text with macros, see {@link expandRaw}. */
  readonly raw: string;
  readonly expect: FramingOutcome;
  /** Outcomes that are as good. */
  readonly also_ok?: readonly FramingOutcome[];
  /** Statuses that a refusal may carry; any 4xx or 5xx where absent. */
  readonly status?: readonly number[];
  readonly upstream_must_see?: readonly string[];
  readonly upstream_must_not_see?: readonly string[];
  /** Does not hold yet, for this reason. It runs all the same. */
  readonly todo?: string;
}

/**
 * `reject`: one refusal, the connection closed, no byte to the backend. `forward-normalized`: the backend sees exactly one
 * request whose framing is beyond doubt.
 */
export type FramingOutcome = 'reject' | 'forward-normalized' | 'close-without-response';

/** A request by a token, and whether the token may make it. */
export interface AuthzCase {
  readonly id: string;
  readonly tier: 1 | 2;
  readonly why: string;
  readonly method: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The token's scopes. */
  readonly scope: readonly string[];
  /** Default alice. */
  readonly user?: string;
  /** deny is 403, bad_request 400 or 415. */
  readonly expect: 'allow' | 'deny' | 'bad_request';
  readonly forward_target?: string;
  readonly upstream_must_see?: Readonly<Record<string, string>>;
  readonly upstream_must_not_see?: readonly string[];
  /** The chunked-upload folder of the route. */
  readonly routeUploads?: string;
}

/** The title of the test that runs a case: what it ends in, and why, with the advisories behind it. */
export function caseTitle({ tier, id, expect, why }: FramingCase | AuthzCase): string {
  return `tier ${tier}: ${id} ends in ${expect}: ${why}`;
}

/** The folder of the cases that belong to this repository. */
export const ownCases: string = fileURLToPath(new URL('../cases', import.meta.url));

/**
 * The cases in `framing.json`, and in `framing-further.json` where that exists, of a folder: of `LATCHKEY_CASES` where that
 * is set, else our own.
 */
export function framingCases(folder: string = chosenFolder()): readonly FramingCase[] {
  return ['framing.json', 'framing-further.json']
    .filter((name) => existsSync(join(folder, name)))
    .flatMap((name) => readCases(folder, name) as readonly FramingCase[]);
}

/** The cases in `authz.json` of the same folder. */
export function authzCases(folder: string = chosenFolder()): readonly AuthzCase[] {
  return readCases(folder, 'authz.json') as readonly AuthzCase[];
}

function chosenFolder(): string {
  return process.env['LATCHKEY_CASES'] ?? ownCases;
}

function readCases(folder: string, name: string): unknown {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'));
}

/**
 * The bytes of a framing case: `{{TOKEN}}`, `{{x*N}}` (N letters), `{{HDR*N}}` (N distinct fields) and `{{LEN}}` (bytes after
 * the first empty line) filled in.
 */
export function expandRaw(raw: string, token: string): Buffer {
  const text = raw
    .replaceAll('{{TOKEN}}', token)
    .replaceAll(/\{\{(\w)\*(\d+)\}\}/g, (_, letter: string, count: string) => letter.repeat(Number(count)))
    .replaceAll(/\{\{HDR\*(\d+)\}\}/g, (_, count: string) =>
      Array.from({ length: Number(count) }, (_each, index) => `h${index}: v\r\n`).join(''),
    );
  const length = text.length - (text.indexOf('\r\n\r\n') + 4);
  return Buffer.from(text.replaceAll('{{LEN}}', String(length)), 'latin1');
}
