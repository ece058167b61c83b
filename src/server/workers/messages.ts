/*
 * What supervisor and workers say to each other over the channel between them, which nobody else can reach.
 */
import type { Config } from '../../config/config.ts';
import type { FailureTotal } from '../../tokens/shared-failures.ts';
import type { ReadinessResult } from '../admin-listener.ts';

/** What a worker is to do, told once it says that it runs. */
export interface Begin {
  readonly kind: 'begin';
  /** Its own share of what is configured. */
  readonly config: Config;
  /** Whether it does what one of all workers has to do: sweeping, warning, asking sources. */
  readonly doesUpkeep: boolean;
  /** Descriptors to listen on, by the name of the listener; what is missing is listened for by host and port. */
  readonly sockets: Readonly<Record<string, number>>;
}

/** What the supervisor may ask of a worker that serves, and what it gets. */
export interface Questions {
  /** Answered at once by a worker that does not hang. */
  readonly ping: { readonly asked: null; readonly answer: null };
  /** Its metrics, as JSON of prom-client. */
  readonly metrics: { readonly asked: null; readonly answer: readonly object[] };
  readonly readiness: { readonly asked: null; readonly answer: readonly ReadinessResult[] };
  /** See `Gateway.firstAdminLink`. */
  readonly firstAdminLink: { readonly asked: null; readonly answer: string | null };
  /** Puts a configuration in force; null: what was read is wrong, and the old one stays. */
  readonly reload: { readonly asked: Config | null; readonly answer: null };
}

/** The names of questions. */
export type Question = keyof Questions;

/** From the supervisor to a worker. */
export type ToWorker =
  | Begin
  | { readonly kind: 'ask'; readonly id: number; readonly question: Question; readonly asked: unknown }
  /** The answer to `failure`. */
  | { readonly kind: 'counted'; readonly id: number; readonly total: FailureTotal }
  /** Finish what is under way, and end: see `drainListener`. */
  | { readonly kind: 'drain'; readonly lingerMs: number };

/** What a worker says when it serves. */
export interface Serving {
  readonly kind: 'ready';
  readonly port: number;
  /** Where other proxies ask; null: not at all. */
  readonly doors: { readonly port: number | null; readonly grpcPort: number | null };
  /** The public keys of assertions, as JSON. */
  readonly assertionKeys: string;
}

/** From a worker to the supervisor, but for answers. */
export type News =
  /** It runs and waits for `begin`. */
  | { readonly kind: 'hello' }
  | Serving
  /** It cannot serve, and ends. */
  | { readonly kind: 'failed'; readonly message: string }
  /** It has served; these are its last metrics. */
  | { readonly kind: 'left'; readonly metrics: readonly object[] }
  /** One wrong secret, to be counted for all workers: see `SharedFailures.add`. */
  | {
      readonly kind: 'failure';
      readonly id: number;
      readonly name: string;
      readonly guess: string;
      readonly windowMs: number;
    };

/** From a worker to the supervisor. */
export type FromWorker = News | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown };
