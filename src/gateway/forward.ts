import type { Dispatcher } from 'undici';
import { Fault, type FaultCode } from '../core/errors.ts';
import type { Backend, BackendGroup } from './backends.ts';
import type { BodyMemory } from './body-memory.ts';
import type { ClientRequest, ClientResponse } from './client-request.ts';
import type { ProgressWatch, Transfer } from './progress.ts';
import { ClientGone, type OutgoingBody } from './request-body.ts';
import { type Addresses, clientHead } from './response-head.ts';

/** One request, decided and rewritten, on its way out. */
export interface Forwarding {
  readonly req: ClientRequest;
  readonly res: ClientResponse;
  readonly method: string;
  /** Original path bytes and the query that is left. */
  readonly target: string;
  readonly body: OutgoingBody;
  readonly group: BackendGroup;
  /** Header fields for this backend, flat, without any that frame the body. */
  headersFor(backend: Backend): string[];
  /** How URLs in the response of this backend map back. */
  addressesFor(backend: Backend): Addresses;
  /** True where a 401 of the backend is about the gateway's own credentials. */
  readonly authenticatesItself: boolean;
  /** Bytes of the body taken from the client so far; counted by whoever reads it. */
  readonly received: { bytes: number };
  readonly memory: BodyMemory;
}

/** How it went, once the client has its response or is gone. */
export interface Forwarded {
  readonly status: number;
  readonly bytesOut: number;
  /** From the dispatch to the backend's response head. */
  readonly backendMs: number;
  /** 'ok', 'aborted' by the client, or a fault after the response head was out. */
  readonly outcome: 'ok' | 'aborted' | FaultCode;
}

/** RFC 9110 section 9.2.2 and RFC 4918: repeating these changes nothing more. */
const idempotent = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PROPFIND',
  'PROPPATCH',
  'REPORT',
  'SEARCH',
  'COPY',
  'MOVE',
  'UNLOCK',
]);

/**
 * Streams the request to a backend and its response to the client, with backpressure both ways.
 * Tries another backend only where nothing was sent to the first and the method is idempotent.
 * @throws {Fault} where no response head could be passed on; afterwards the client's connection is
 * cut instead, so that a truncated response never looks whole.
 */
export async function forward(forwarding: Forwarding, watch: ProgressWatch): Promise<Forwarded> {
  const tried = new Set<Backend>();
  for (;;) {
    const backend = forwarding.group.pick(tried) as Backend;
    tried.add(backend);
    const exchange = new Exchange(forwarding, backend, watch);
    try {
      const forwarded = await exchange.run();
      forwarding.group.answered(backend);
      return forwarded;
    } catch (error) {
      if (exchange.sent || !(error instanceof Fault)) throw error;
      if (error.code.startsWith('backend_')) forwarding.group.failed(backend);
      if (tried.size === forwarding.group.size || !idempotent.has(forwarding.method)) throw error;
    }
  }
}

/** One attempt at one backend. */
class Exchange implements Dispatcher.DispatchHandler, Transfer {
  /** True once bytes may have reached the backend. */
  sent = false;
  readonly #forwarding: Forwarding;
  readonly #backend: Backend;
  readonly #watch: ProgressWatch;
  readonly #startedMs = performance.now();
  #controller: Dispatcher.DispatchController | null = null;
  #settle: ((forwarded: Forwarded) => void) | null = null;
  #fail: ((error: Error) => void) | null = null;
  #status = 0;
  #bytesOut = 0;
  #lengthBytes: number | null = null;
  #backendMs = 0;
  #outcome: Forwarded['outcome'] = 'ok';
  #paused = false;
  #clientGone = false;
  #responseComplete = false;

  constructor(forwarding: Forwarding, backend: Backend, watch: ProgressWatch) {
    this.#forwarding = forwarding;
    this.#backend = backend;
    this.#watch = watch;
  }

  /** Sends the request; settles when the client's response is closed. */
  run(): Promise<Forwarded> {
    const { res, method, target, body } = this.#forwarding;
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
      if (res.closed || res.destroyed) {
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
      const request: Dispatcher.DispatchOptions & { readonly servername: string } = {
        method,
        path: target,
        headers,
        body: body.kind === 'none' ? null : body.kind === 'bytes' ? body.bytes : body.open(),
        // Undici otherwise opens a connection for each HEAD, and for LOCK or REPORT with a body.
        reset: false,
        // Undici otherwise takes the Host for it, and reconnects whenever that changes.
        servername: this.#backend.hostname,
      };
      this.#backend.dispatcher.dispatch(request, this);
    });
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#clientGone) controller.abort(new ClientGone());
    else this.sent = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
    message?: string,
  ): void {
    // Interim responses end here: 100 was already answered, 102 and 103 are advice.
    if (status < 200) return;
    const { res, authenticatesItself } = this.#forwarding;
    const { origin } = this.#backend;
    this.#backendMs = performance.now() - this.#startedMs;
    if (status === 401 && authenticatesItself) {
      throw new Fault('backend_refused_credentials', `${origin} answered 401 to the gateway itself`);
    }
    const head = clientHead(headers, this.#forwarding.addressesFor(this.#backend));
    res.writeHead(status, message ?? '', head.fields);
    // Only now: what Node did not take as a head can still be answered with 502.
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
      this.#responseComplete = true;
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
    if (this.#responseComplete) return;
    this.#responseComplete = true;
    this.#forwarding.res.end();
  }

  onResponseError(_controller: unknown, error: Error): void {
    const { res } = this.#forwarding;
    if (this.#clientGone || error instanceof ClientGone) {
      this.#clientGone = true;
      if (!res.destroyed && !res.headersSent) res.destroy();
      this.#finish('aborted');
      return;
    }
    const fault = toFault(error, this.#backend.origin);
    if (this.#status === 0) {
      res.off('close', this.#onClose);
      this.#watch.delete(this);
      this.#fail?.(fault);
      return;
    }
    this.#outcome = fault.code;
    res.destroy();
  }

  movedBytes(): number {
    return this.#forwarding.received.bytes + this.#bytesOut;
  }

  waitsForClient(): boolean {
    const { req, res } = this.#forwarding;
    if (this.#paused || this.#responseComplete) return true;
    return (
      this.#status === 0 &&
      this.#forwarding.body.kind === 'stream' &&
      !req.complete &&
      !res.closed &&
      !req.isPaused()
    );
  }

  stall(): void {
    this.#forwarding.res.destroy();
    this.#forwarding.req.destroy();
  }

  #onDrain = (): void => {
    this.#paused = false;
    this.#controller?.resume();
  };

  #onClose = (): void => {
    if (this.#responseComplete && this.#forwarding.res.writableFinished) {
      this.#finish(this.#outcome);
      return;
    }
    if (this.#outcome === 'ok') {
      this.#clientGone = true;
      this.#controller?.abort(new ClientGone());
      this.#finish('aborted');
      return;
    }
    this.#finish(this.#outcome);
  };

  #finish(outcome: Forwarded['outcome']): void {
    this.#watch.delete(this);
    this.#settle?.({ status: this.#status, bytesOut: this.#bytesOut, backendMs: this.#backendMs, outcome });
  }
}

function flushHead(res: ClientResponse): void {
  if (!res.writableEnded && !res.destroyed) res.flushHeaders();
}

const unreachable = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENOENT',
  'EADDRNOTAVAIL',
]);

/** Names what went wrong at which backend; the message keeps the cause for the log. */
function toFault(error: Error, origin: string): Fault {
  if (error instanceof Fault) return error;
  const code = (error as NodeJS.ErrnoException).code ?? error.name;
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return new Fault('backend_timeout', `${origin}: ${code}`, error);
  if (unreachable.has(code) || /CERT|TLS|SSL|ALTNAME|UNABLE_TO_VERIFY/.test(code)) {
    return new Fault('backend_unreachable', `${origin}: ${code}`, error);
  }
  if (
    code.startsWith('HPE_') ||
    // Some parser errors have a name only.
    code === 'HTTPParserError' ||
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    // Node refuses to pass on a reason phrase or field that is none.
    code === 'ERR_INVALID_CHAR' ||
    code === 'ERR_INVALID_HTTP_TOKEN' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  ) {
    return new Fault('backend_garbage', `${origin}: ${code}`, error);
  }
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET' || code === 'EPIPE') {
    return new Fault('backend_reset', `${origin}: ${code}`, error);
  }
  return new Fault('internal', `forwarding to ${origin} failed: ${code}`, error);
}
