import { createHmac, hkdfSync } from 'node:crypto';
import type { Clock } from '../../core/clock.ts';
import { Fault } from '../../core/errors.ts';
import { openSealedText, sealText, type SealingKey } from '../../core/sealed-text.ts';
import { type Caller, isConfirmed } from '../../management/caller.ts';
import { isRefused, type Refused } from '../../management/refused.ts';
import type { RepeatedRequests } from '../../management/repeated-requests.ts';
import type { ApiContext } from './api-context.ts';
import { answerProblem, answerRefusal } from './problem.ts';

/** An answer that can be given again. */
export interface Made {
  readonly status: 200 | 201;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: object;
}

/** One request that makes something. */
export interface Making {
  /** All that the outcome depends on: the same request gives the same. */
  readonly request: readonly unknown[];
  run(): Promise<Made | Refused>;
  /** Asked before the answer is given again: whether this caller may still read what was made. */
  recall(body: object): Promise<object>;
}

/** What `answerOnce` needs. */
export interface RepeatableDeps {
  readonly repeated: RepeatedRequests;
  readonly clock: Clock;
}

/** Shorter ones could be guessed by whoever holds the store, and they seal what it keeps. */
const keyForm = /^[\x20-\x7e]{16,255}$/;
const runningMs = 1_000;

/**
 * Runs a request that makes something, once for each Idempotency-Key: who sends the same again is given the same answer,
 * the value of a token among it. The store has the answer sealed under a key that only the client knows.
 */
export async function answerOnce(c: ApiContext, deps: RepeatableDeps, making: Making): Promise<Response> {
  const key = c.req.header('Idempotency-Key');
  if (key === undefined) {
    const outcome = await making.run();
    return 'status' in outcome ? send(c, outcome) : answerRefusal(c, outcome);
  }
  if (!keyForm.test(key)) return answerProblem(c, 'bad_key');
  const caller = c.get('caller');
  if (!isConfirmed(caller)) return answerProblem(c, 'confirmation_needed');
  const names = namesOf(key, nameOf(caller), [c.req.method, new URL(c.req.url).pathname, ...making.request]);
  const known = await deps.repeated.begin(
    names.caller,
    names.keyDigest,
    names.requestDigest,
    deps.clock.now(),
  );
  switch (known.kind) {
    case 'first':
      return runFirst(c, deps.repeated, names, making);
    case 'running':
      return answerProblem(c, 'request_running', { retryAfterMs: runningMs });
    case 'other':
      return answerProblem(c, 'key_reused');
    case 'answered':
      return answerAgain(c, names, making, known.answer);
    default:
      return known satisfies never;
  }
}

async function runFirst(
  c: ApiContext,
  repeated: RepeatedRequests,
  names: Names,
  making: Making,
): Promise<Response> {
  const { caller, keyDigest } = names;
  // Where the store fails here too, it counts as cut short after a while.
  const forget = (): Promise<void> => repeated.forget(caller, keyDigest).catch(() => undefined);
  let outcome: Made | Refused;
  try {
    outcome = await making.run();
  } catch (error) {
    await forget();
    throw error;
  }
  if (!('status' in outcome)) {
    await forget();
    return answerRefusal(c, outcome);
  }
  const sealed = sealText(names.sealingKey, names.requestDigest, JSON.stringify(outcome));
  // It is made: its value must reach the client even where nothing can be kept for a second time.
  await repeated.finish(caller, keyDigest, sealed).catch(() => undefined);
  return send(c, outcome);
}

async function answerAgain(c: ApiContext, names: Names, making: Making, sealed: string): Promise<Response> {
  const text = openSealedText(names.sealingKey, names.requestDigest, sealed);
  if (text === null) throw new Fault('internal', 'a kept answer cannot be opened');
  const made = JSON.parse(text) as Made;
  const recalled = await making.recall(made.body);
  return isRefused(recalled) ? answerRefusal(c, recalled) : send(c, made);
}

function send(c: ApiContext, { status, headers, body }: Made): Response {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  return c.json(body, status);
}

interface Names {
  readonly caller: string;
  readonly keyDigest: string;
  readonly requestDigest: string;
  readonly sealingKey: SealingKey;
}

/** All from the key that the client sent (HKDF, RFC 5869): without it neither request nor answer can be guessed at. */
function namesOf(key: string, caller: string, request: readonly unknown[]): Names {
  const derive = (purpose: string): Buffer =>
    Buffer.from(hkdfSync('sha256', key, caller, `latchkey repeated request: ${purpose}`, 32));
  return {
    caller,
    keyDigest: derive('name').toString('base64url'),
    requestDigest: createHmac('sha256', derive('request'))
      .update(JSON.stringify(request))
      .digest('base64url'),
    sealingKey: derive('answer') as Uint8Array as SealingKey,
  };
}

function nameOf(caller: Caller): string {
  return caller.kind === 'key' ? `key:${caller.key.id}` : `user:${caller.user.id}`;
}
