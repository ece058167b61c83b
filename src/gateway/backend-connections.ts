import { Readable } from 'node:stream';
import type { SecureContextOptions } from 'node:tls';
import { buildConnector, Client, type Dispatcher, type errors } from 'undici';
import type { BackendPlace } from '../config/backend-address.ts';
import type { RouteConfig } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { Fault } from '../core/errors.ts';
import { resetCode } from './backend-fault.ts';
import { BackendQueue } from './backend-queue.ts';

/** How to reach and how long to wait for a backend. */
export interface BackendLimits {
  readonly connectMs: number;
  /** For the response head, and for the longest silence within a response body. */
  readonly backendHeadMs: number;
  readonly backendConnections: number;
  /** For a connection to fall free. */
  readonly backendWaitMs: number;
}

/** A request as a backend gets it. */
export type BackendRequest = Pick<Dispatcher.DispatchOptions, 'method' | 'path' | 'headers' | 'body'>;

/** What TLS with a backend goes by. */
export type BackendTls = Pick<RouteConfig, 'backendCa' | 'backendTls'>;

/** What `node:tls` is told of that. */
export function tlsOptions({ backendCa, backendTls }: BackendTls): SecureContextOptions {
  return {
    ...(backendCa === null ? {} : { ca: backendCa }),
    ...(backendTls === null ? {} : { cert: backendTls.cert, key: backendTls.key }),
  };
}

/** What the connections to a backend need. */
export interface BackendConnectionsDeps {
  readonly place: BackendPlace;
  /** What the certificate must be for; '' for an address. */
  readonly tlsName: string;
  readonly tls: BackendTls;
  readonly limits: BackendLimits;
  readonly clock: Clock;
  /** The backend sent what nobody had asked for, and its connections are not kept for a minute. */
  mistrusted(): void;
}

/** Responses with heads beyond this are garbage. */
const backendHeadBytesMax = 65_536;

/** Shorter than what servers commonly wait, so that a request rarely meets a closing connection. */
const keepAliveMs = 4_000;

/** So long a kept connection has to be silent before it serves another client than the one before. */
const silenceMs = 20;

/** So long no connection is kept after one on which something came that nobody had asked for. */
const mistrustMs = 60_000;

/** One connection at most at a time, and one request. */
interface Line {
  readonly client: Client;
  /** Whose request it carried last, or carries. */
  owner: string;
  isBusy: boolean;
  /** How many requests it was given. */
  given: number;
  /** True while there is a connection. */
  isOpen: boolean;
  silentSinceMs: number;
}

interface Waiting {
  readonly request: BackendRequest;
  readonly owner: string;
  readonly handler: BackendHandler;
  readonly timer: NodeJS.Timeout;
}

/** Hears of an exchange with a backend; of an error also where nothing was begun. */
export interface BackendHandler extends Omit<Dispatcher.DispatchHandler, 'onResponseError'> {
  onResponseError(controller: Dispatcher.DispatchController | null, error: Error): void;
}

/** Takes a waiting request back. */
export type LeaveQueue = () => void;

/**
 * The connections to one backend. What a backend sends behind its response nobody has asked for; HTTP/1.1 cannot tell
 * it from the response to the next request, once that is on its way. So it must not be another client's: a kept connection
 * passes to another `owner` only after a silence, and a backend caught once gets a new connection for each request.
 */
export class BackendConnections {
  readonly #deps: BackendConnectionsDeps;
  readonly #connect: buildConnector.connector;
  readonly #lines = new Set<Line>();
  /** The longest silent comes first. */
  readonly #idle = new Set<Line>();
  /** How many requests of each owner are under way. */
  readonly #busyOf = new Map<string, number>();
  /** The idle line that each owner used last. */
  readonly #lastOf = new Map<string, Line>();
  readonly #queue = new BackendQueue<Waiting>((owner) => this.#busyOf.get(owner) ?? 0);
  #mistrustedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(deps: BackendConnectionsDeps) {
    this.#deps = deps;
    this.#connect = connectorTo(deps);
  }

  /**
   * Sends a request of `owner`'s; `handler` hears of everything that follows. Where all connections are busy it waits
   * until one falls free, those of owners with fewest requests under way going first; after `backendWaitMs` the
   * handler hears of a Fault ('overloaded') instead. The returned function takes a request that still waits out of the
   * queue, without a word to the handler, and is null where it does not wait.
   */
  dispatch(request: BackendRequest, owner: string, handler: BackendHandler): LeaveQueue | null {
    const line = this.#lineFor(owner);
    if (line !== null) {
      this.#send(line, request, owner, handler);
      return null;
    }
    const { place, limits } = this.#deps;
    const waiting: Waiting = { request, owner, handler, timer: setTimeout(giveUp, limits.backendWaitMs) };
    const leave = (): void => {
      clearTimeout(waiting.timer);
      if (this.#queue.delete(owner, waiting)) discardBody(request);
    };
    function giveUp(): void {
      leave();
      const busy = `all ${limits.backendConnections} connections stayed busy for ${limits.backendWaitMs} ms`;
      handler.onResponseError(null, new Fault('overloaded', `${place.name}: ${busy}`));
    }
    this.#queue.add(owner, waiting);
    return leave;
  }

  /** Lets running requests finish and closes every connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#lines].map(({ client }) => client.close()));
  }

  #send(line: Line, request: BackendRequest, owner: string, handler: BackendHandler): void {
    line.owner = owner;
    line.isBusy = true;
    this.#busyOf.set(owner, (this.#busyOf.get(owner) ?? 0) + 1);
    const turn = ++line.given;
    const options: Dispatcher.DispatchOptions & { readonly servername: string } = {
      ...request,
      // Undici otherwise opens a connection for each HEAD, and for LOCK or REPORT with a body.
      reset: this.#mistrusts(),
      // Undici otherwise takes the Host for it, and reconnects whenever that changes; the connector has its own.
      servername: this.#deps.place.url.hostname,
    };
    line.client.dispatch(options, handler);
    // What Undici refuses to send leaves the line free without a word.
    if (line.client.stats.size === 0) setImmediate(() => line.given === turn && this.#release(line));
  }

  /** A line that may carry a request of this owner's, or null where all are busy. */
  #lineFor(owner: string): Line | null {
    const own = this.#lastOf.get(owner);
    if (own !== undefined) return this.#take(own);
    const oldest = this.#idle.values().next().value;
    if (oldest !== undefined && this.#mayCarry(oldest, owner)) return this.#take(oldest);
    if (this.#lines.size >= this.#deps.limits.backendConnections) {
      if (oldest === undefined) return null;
      this.#discard(oldest);
    }
    return this.#open();
  }

  #mayCarry(line: Line, owner: string): boolean {
    if (!line.isOpen || line.owner === owner) return true;
    return this.#deps.clock.monotonic() - line.silentSinceMs >= silenceMs;
  }

  #take(line: Line): Line {
    this.#idle.delete(line);
    if (this.#lastOf.get(line.owner) === line) this.#lastOf.delete(line.owner);
    return line;
  }

  #discard(line: Line): void {
    this.#take(line);
    this.#lines.delete(line);
    void line.client.destroy();
  }

  #open(): Line {
    const { place, limits } = this.#deps;
    const client = new Client(place.url.origin, {
      pipelining: 1,
      allowH2: false,
      headersTimeout: limits.backendHeadMs,
      bodyTimeout: limits.backendHeadMs,
      keepAliveTimeout: keepAliveMs,
      maxHeaderSize: backendHeadBytesMax,
      connect: this.#connect,
    });
    const line: Line = { client, owner: '', isBusy: false, given: 0, isOpen: false, silentSinceMs: 0 };
    client.on('connect', () => {
      line.isOpen = true;
    });
    client.on('disconnect', (_origin, _targets, error) => {
      line.isOpen = false;
      if (saidTooMuch(error, line.isBusy)) this.#mistrust();
    });
    client.on('drain', () => this.#release(line));
    this.#lines.add(line);
    return line;
  }

  /** The line's request is over, and what is left of its connection can be used. */
  #release(line: Line): void {
    if (!line.isBusy) return;
    line.isBusy = false;
    const busy = (this.#busyOf.get(line.owner) ?? 1) - 1;
    if (busy > 0) this.#busyOf.set(line.owner, busy);
    else this.#busyOf.delete(line.owner);
    line.silentSinceMs = this.#deps.clock.monotonic();
    this.#idle.add(line);
    this.#lastOf.set(line.owner, line);
    if (line.isOpen && this.#mistrusts()) this.#discard(line);
    const next = this.#queue.next();
    if (next === null) return;
    clearTimeout(next.timer);
    this.dispatch(next.request, next.owner, next.handler);
  }

  #mistrusts(): boolean {
    return this.#deps.clock.monotonic() < this.#mistrustedUntilMs;
  }

  #mistrust(): void {
    if (!this.#mistrusts()) this.#deps.mistrusted();
    this.#mistrustedUntilMs = this.#deps.clock.monotonic() + mistrustMs;
    for (const line of [...this.#idle]) this.#discard(line);
  }
}

/** What Undici would do with the body of a request that it gives up. */
function discardBody({ body }: BackendRequest): void {
  if (body instanceof Readable) body.destroy();
}

/** True where a connection ended because something came over it behind a response, or before any request. */
function saidTooMuch(error: errors.UndiciError, isBusy: boolean): boolean {
  if (error.message === 'bad response') return true;
  return !isBusy && (error.name === 'HTTPParserError' || error.code.startsWith('HPE_'));
}

function connectorTo({ place, tlsName, tls, limits }: BackendConnectionsDeps): buildConnector.connector {
  const connector = buildConnector({
    timeout: limits.connectMs,
    allowH2: false,
    autoSelectFamily: true,
    ...(place.socketPath === null ? {} : { socketPath: place.socketPath }),
    ...tlsOptions(tls),
  });
  return (options, done) =>
    connector({ ...options, servername: tlsName }, (...[error, socket]) => {
      if (error !== null) {
        done(error, null);
        return;
      }
      // Before Undici's own listener, which takes a reset for the end of a body that lasts until the close.
      socket.on('error', (reset: NodeJS.ErrnoException) => {
        const code = reset.code === 'ECONNRESET' ? { code: resetCode } : {};
        Object.assign(reset, code, { socket: { bytesRead: socket.bytesRead } });
      });
      done(null, socket);
    });
}
