import type { TLSSocket } from 'node:tls';
import type { Denial, Inbound } from '../core/decision.ts';
import type { Principal } from '../core/principal.ts';
import type { BodyMemory } from './body-memory.ts';
import type { ClientRequest, ClientResponse } from './client-request.ts';
import { plainAddress } from './client-side.ts';
import { type ConcurrentRequests, tooManyRequests } from './concurrent-requests.ts';
import type { ProgressWatch } from './progress.ts';
import { type Collected, collectBody, type OutgoingBody, streamBody } from './request-body.ts';

/** What the listener knows of a request beside what its parser says. */
export interface WireHints {
  /** Sends the `100 Continue` that the client waits for, once its credential was verified; null where it does not. */
  readonly sendContinue: (() => void) | null;
  /** The request line stood on the wire exactly as RFC 9112 section 3 wants it. */
  readonly exactLine: boolean;
}

/** What an exchange needs while the body moves. */
export interface ExchangeDeps {
  readonly watch: ProgressWatch;
  readonly memory: BodyMemory;
  readonly concurrent: ConcurrentRequests;
}

/** The client's side of one request: plain data for the decision, body and response for the rest. */
export class ClientExchange implements Inbound {
  readonly req: ClientRequest;
  readonly res: ClientResponse;
  readonly exactLine: boolean;
  /** Body bytes taken from the client so far. */
  readonly received: { bytes: number } = { bytes: 0 };
  readonly #deps: ExchangeDeps;
  #sendContinue: (() => void) | null;

  constructor(req: ClientRequest, res: ClientResponse, hints: WireHints, deps: ExchangeDeps) {
    this.req = req;
    this.res = res;
    this.exactLine = hints.exactLine;
    this.#sendContinue = hints.sendContinue;
    this.#deps = deps;
  }

  get method(): string {
    return this.req.method as string;
  }

  get target(): string {
    return this.req.url as string;
  }

  get rawHeaders(): readonly string[] {
    return this.req.rawHeaders;
  }

  get httpVersion(): string {
    return this.req.httpVersion;
  }

  get peerAddress(): string {
    return plainAddress(this.req.socket.remoteAddress ?? '');
  }

  get tls(): boolean {
    return (this.req.socket as Partial<TLSSocket>).encrypted === true;
  }

  /** Counts among the token's requests while it reads: bodies held to decide are memory, too. */
  async readBody(bytesMax: number, principal: Principal): Promise<Uint8Array | Denial | null> {
    const { concurrent } = this.#deps;
    if (!concurrent.enter(principal)) return tooManyRequests();
    try {
      this.sendContinue();
      const collected = await this.collect(bytesMax, null);
      return collected.ended ? Buffer.concat(collected.chunks) : null;
    } finally {
      concurrent.leave(principal);
    }
  }

  /** The same request for another decision; `body` is what the first one read of it, null where it read nothing. */
  repeated(body: Uint8Array | null): Inbound {
    const { method, target, rawHeaders, exactLine, httpVersion, peerAddress, tls } = this;
    const readBody = (): Promise<Uint8Array | null> => Promise.resolve(body);
    return { method, target, rawHeaders, exactLine, httpVersion, peerAddress, tls, readBody };
  }

  /** Lets a client that waits for it send its body; the second call does nothing. */
  sendContinue(): void {
    this.#sendContinue?.();
    this.#sendContinue = null;
  }

  /** Reads the body within bounds and counts it; see `collectBody`. */
  async collect(bytesMax: number, waitMs: number | null): Promise<Collected> {
    const collected = await collectBody(this.req, bytesMax, waitMs, this.#deps.watch);
    this.received.bytes += collected.bytes;
    return collected;
  }

  /** The rest of the body as it comes, behind `first`; `length` null where only its end will tell. */
  stream(first: readonly Buffer[], length: number | null): OutgoingBody {
    return {
      kind: 'stream',
      length,
      open: () => streamBody(this.req, first, this.count),
      release: () => undefined,
    };
  }

  /** Counts body bytes as they are taken from the client. */
  readonly count: (bytes: number) => void = (bytes) => {
    this.received.bytes += bytes;
    this.#deps.memory.moved(bytes);
  };
}
