import type { Dispatcher } from 'undici';
import { Fault, type FaultCode } from '../core/errors.ts';
import { closedWhileKept, toFault } from './backend-fault.ts';
import type { BackendHandler, LeaveQueue } from './backend-connections.ts';
import type { Backend, BackendGroup } from './backends.ts';
import type { BodyMemory } from './body-memory.ts';
import type { ClientRequest, ClientResponse } from './client-request.ts';
import type { ProgressWatch, Transfer } from './progress.ts';
import { ClientGone, type OutgoingBody } from './request-body.ts';
import { type Addresses, answerHead } from './response-head.ts';

/** One request, decided and rewritten, on its way out. */
export interface Forwarding {
  readonly req: ClientRequest;
  readonly res: ClientResponse;
  readonly method: string;
  /** Original path bytes and the query that is left. */
  readonly target: string;
  readonly body: OutgoingBody;
  readonly group: BackendGroup;
  /** Who the request is of: a connection just used for one may hold what must not reach another. */
  readonly owner: string;
  /** Header fields for this backend, flat, without any that frame the body. */
  headersFor(backend: Backend): string[];
  /** How URLs in the response of this backend map back. */
  addressesFor(backend: Backend): Addresses;
  /** True where a 401 of the backend is about the gateway's own credentials. */
  readonly authenticatesItself: boolean;
  /** Bytes of the body taken from the client so far; counted by whoever reads it. */
  readonly received: { bytes: number };
  readonly standing: Standing;
  readonly memory: BodyMemory;
}

/** Whether the request may still be sent: it may have to wait for its backend. */
export interface Standing {
  /** When it was decided last, as of `performance.now()`. */
  readonly decidedMs: number;
  /** Decides again. Rejects where the request is not allowed any more, or nobody can say. */
  renew(): Promise<void>;
}

/** How it went, once the client has its response or is gone. */
export interface Forwarded {
  readonly status: number;
  readonly bytesOut: number;
  /** From the dispatch to the backend's response head. */
  readonly backendMs: number;
  /** 'ok', 'aborted' by the client, or a fault after the response head was out. */
  readonly outcome: 'ok' | 'aborted' | FaultCode;
  /** What went wrong after the response head was out; the client's connection was cut. */
  readonly fault: Fault | null;
  /** True where we cut the client off, because it moved too little for too long. */
  readonly stalled: boolean;
}

/** Interim responses to one request: beyond this many it is not waited for the final one. */
const interimMax = 1_000;

/** How often a request that waits for its backend is decided again: a revoked token loses its place in the queue. */
export const renewEveryMs = 2_000;
/** On an older decision nothing is sent: this process stood still, or nobody could decide again. */
const decisionMsMax = 4_000;

/**
 * How far an attempt is. It only goes forward.
 *
 * - `waiting`: nothing has reached the backend
 * - `sent`: bytes of the request may have reached it
 * - `heard`: bytes of a response have come
 * - `answering`: the client is given the response
 * - `answered`: the whole response was handed on
 */
type Phase = 'waiting' | 'sent' | 'heard' | 'answering' | 'answered';

/** One attempt to forward a request to one backend. */
export class Attempt implements BackendHandler, Transfer {
  readonly #forwarding: Forwarding;
  readonly #backend: Backend;
  readonly #watch: ProgressWatch;
  readonly #startedMs = performance.now();
  #controller: Dispatcher.DispatchController | null = null;
  #leaveQueue: LeaveQueue | null = null;
  #settle: ((forwarded: Forwarded) => void) | null = null;
  #fail: ((error: Error) => void) | null = null;
  #phase: Phase = 'waiting';
  /** Of the final response; 0 before `answering`. */
  #status = 0;
  #bytesOut = 0;
  #lengthBytes: number | null = null;
  #backendMs = 0;
  #stalled = false;
  #interim = 0;
  /** What broke off the response while the client was given it. */
  #fault: Fault | null = null;
  #clientGone = false;
  /** True while the backend waits for the client to read. */
  #paused = false;
  /** Until it is decided again; null where it does not wait. */
  #renewal: NodeJS.Timeout | null = null;
  #isOver = false;

  constructor(forwarding: Forwarding, backend: Backend, watch: ProgressWatch) {
    this.#forwarding = forwarding;
    this.#backend = backend;
    this.#watch = watch;
  }

  /** True once bytes may have reached the backend. */
  get sent(): boolean {
    return this.#phase !== 'waiting';
  }

  /** Sends the request; settles when the client's response is closed. */
  run(): Promise<Forwarded> {
    const { req, res, method, target, body, owner } = this.#forwarding;
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
      // Of a response whose turn has not come, only the connection knows that it will not come.
      if (res.closed || res.destroyed || req.socket.destroyed) {
        this.#clientGone = true;
        this.#finish('aborted');
        return;
      }
      res.once('close', this.#onClose);
      const headers = this.#forwarding.headersFor(this.#backend);
      if (body.kind === 'stream') {
        if (body.length !== null) headers.push('content-length', String(body.length));
        this.#watch.add(this);
      }
      const sent = body.kind === 'none' ? null : body.kind === 'bytes' ? body.bytes : body.open();
      this.#leaveQueue = this.#backend.dispatch({ method, path: target, headers, body: sent }, owner, this);
      if (this.#phase === 'waiting' && !this.#isOver) this.#renewLater();
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    const late = performance.now() - this.#forwarding.standing.decidedMs > decisionMsMax;
    // Undici begins what waited for a connection though nobody waits for it any more.
    if (this.#isOver || this.#clientGone) controller.abort(new ClientGone());
    else if (late) controller.abort(new Fault('overloaded', `${this.#backend.origin}: decided too long ago`));
    else this.#phase = 'sent';
    if (this.#renewal !== null) clearTimeout(this.#renewal);
  }

  onResponseStarted(): void {
    if (this.#phase === 'sent') this.#phase = 'heard';
  }

  /** True where the request, which can be sent again, met a kept connection just being closed (RFC 9110 section 9.2.2). */
  metClosedConnection(fault: Fault): boolean {
    return this.#phase === 'sent' && this.#forwarding.body.kind !== 'stream' && closedWhileKept(fault.cause);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    message?: string,
  ): void {
    const { res, authenticatesItself } = this.#forwarding;
    const { origin } = this.#backend;
    // Interim responses end here: 100 was already answered, 102 and 103 are advice.
    if (status >= 100 && status < 200) {
      if (++this.#interim > interimMax) throw new Fault('backend_garbage', `${origin}: no final response`);
      return;
    }
    this.#backendMs = performance.now() - this.#startedMs;
    const addresses = this.#forwarding.addressesFor(this.#backend);
    const head = answerHead({ status, headers, authenticatesItself }, origin, addresses);
    res.writeHead(status, message ?? '', head.fields);
    // Only now: what Node did not take as a head can still be answered with 502.
    this.#phase = 'answering';
    this.#status = status;
    this.#lengthBytes = head.lengthBytes;
    // Data in the same packet goes out with the head in one write; a silent body must not hold it back.
    process.nextTick(flushHead, res);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    const { res } = this.#forwarding;
    this.#bytesOut += chunk.length;
    this.#forwarding.memory.moved(chunk.length);
    if (this.#bytesOut === this.#lengthBytes) {
      this.#phase = 'answered';
      res.end(chunk);
      if (chunk.length > res.writableHighWaterMark) this.#watch.add(this);
      return;
    }
    if (res.write(chunk)) return;
    this.#paused = true;
    controller.pause();
    this.#watch.add(this);
    res.once('drain', this.#onDrain);
  }

  onResponseEnd(): void {
    if (this.#phase === 'answered') return;
    this.#phase = 'answered';
    this.#forwarding.res.end();
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#isOver) return;
    const { res } = this.#forwarding;
    if (this.#clientGone || error instanceof ClientGone) {
      this.#clientGone = true;
      if (!res.destroyed && !res.headersSent) res.destroy();
      this.#finish('aborted');
      return;
    }
    const fault = toFault(error, this.#backend.origin);
    if (!this.#hasAnswer()) {
      this.#giveUp(fault);
      return;
    }
    this.#fault = fault;
    res.destroy();
  }

  movedBytes(): number {
    return this.#forwarding.received.bytes + this.#bytesOut;
  }

  waitsForClient(): boolean {
    const { req, res } = this.#forwarding;
    if (this.#paused || this.#phase === 'answered') return true;
    return (
      !this.#hasAnswer() &&
      this.#forwarding.body.kind === 'stream' &&
      !req.complete &&
      !res.closed &&
      !req.isPaused()
    );
  }

  stall(): void {
    this.#stalled = true;
    const { req, res } = this.#forwarding;
    // Without a reset the system keeps what it was not read, for minutes.
    req.socket.resetAndDestroy();
    res.destroy();
    req.destroy();
  }

  #onDrain = (): void => {
    // A pipelined response is told in the middle of its own write, while undici still parses: it takes no more then.
    process.nextTick(() => {
      this.#paused = false;
      this.#controller?.resume();
    });
  };

  #onClose = (): void => {
    if (this.#phase === 'answered' && this.#forwarding.res.writableFinished) {
      this.#finish('ok');
    } else if (this.#fault === null) {
      this.#clientGone = true;
      this.#leaveQueue?.();
      this.#controller?.abort(new ClientGone());
      this.#finish('aborted');
    } else {
      this.#finish(this.#fault.code);
    }
  };

  #renewLater(): void {
    const goesOn = (): boolean => this.#phase === 'waiting' && !this.#isOver;
    this.#renewal = setTimeout(() => {
      this.#forwarding.standing.renew().then(
        () => {
          if (goesOn()) this.#renewLater();
        },
        (error: Error) => {
          if (!goesOn()) return;
          this.#leaveQueue?.();
          this.#giveUp(error);
        },
      );
    }, renewEveryMs);
  }

  /** The client was given nothing, and may be answered by others. */
  #giveUp(error: Error): void {
    this.#forwarding.res.off('close', this.#onClose);
    this.#end();
    this.#fail?.(error);
  }

  #end(): void {
    this.#isOver = true;
    if (this.#renewal !== null) clearTimeout(this.#renewal);
    this.#watch.delete(this);
  }

  /** Whether the client was given a head: nothing else can be answered then. */
  #hasAnswer(): boolean {
    return this.#phase === 'answering' || this.#phase === 'answered';
  }

  #finish(outcome: Forwarded['outcome']): void {
    this.#end();
    this.#settle?.({
      status: this.#status,
      bytesOut: this.#bytesOut,
      backendMs: this.#backendMs,
      outcome,
      fault: this.#fault,
      stalled: this.#stalled,
    });
  }
}

function flushHead(res: ClientResponse): void {
  if (!res.writableEnded && !res.destroyed) res.flushHeaders();
}
