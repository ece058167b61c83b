import { backoffMs, closeClient } from './connection.ts';
import type { CommandClient } from './connection.ts';

/** What the gate reports: once per change, never per command. */
export interface RedisHealth {
  /** False: every command is answered as a miss without being sent. */
  readonly up: boolean;
  /** Why, as `reasonOf` says it; null where it came up. */
  readonly reason: string | null;
}

/** What the gate needs. */
export interface HealthGateDeps {
  readonly client: CommandClient;
  /** 0 to below 1; spreads the attempts of many gateways. */
  readonly random: () => number;
  /** Why the client failed, for people to read: no secret is in it. */
  readonly reasonOf: (error: unknown) => string;
  /** Called once per change, and once per new kind of refusal (`up` stays true then). */
  readonly report: (health: RedisHealth) => void;
}

/** Answers that mean "not now", so that asking again at once is pointless. */
const notNow = new Set(['LOADING', 'MASTERDOWN', 'CLUSTERDOWN', 'READONLY', 'NOAUTH']);

/** Longest wait of `start`, milliseconds. */
const firstTryMs = 1_000;

/** Reasons told per outage. */
const reasonsMost = 4;

/** A gate that stayed open this long starts its next outage with quick attempts again, milliseconds. */
const steadyMs = 5_000;

/**
 * Stands before Redis. Open, it passes commands on; after the first one that fails or times out
 * it is closed, and a command costs nothing until a PING has been answered. So a Redis that is down,
 * paused or unreachable delays only what was under way when that showed.
 */
export class HealthGate {
  readonly #deps: HealthGateDeps;
  #open = false;
  /** Counts openings: a command fails only the opening it was sent in. */
  #opening = 0;
  #openedAt = 0;
  #probes = 0;
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;
  /** Closed over one late answer, and nobody was told yet. */
  #doubted = false;
  #lastError = 'not connected yet';
  /** What was reported since the last change, so that no reason is told twice. */
  readonly #told = new Set<string>();
  #settled: () => void = () => undefined;

  constructor(deps: HealthGateDeps) {
    this.#deps = deps;
  }

  /** True while commands are passed on. */
  get open(): boolean {
    return this.#open;
  }

  /** Connects, and keeps doing so until `stop`. Resolves once Redis answered, failed, or took 1 s; never rejects. */
  async start(): Promise<void> {
    const { client } = this.#deps;
    const settled = new Promise<void>((resolve) => {
      this.#settled = resolve;
    });
    const timer = setTimeout(this.#settled, firstTryMs);
    client.on('error', (error: Error) => this.#failed(error, this.#opening));
    client.on('node error', (error: Error) => this.#remember(error));
    client.on('close', () => this.#close());
    client.on('ready', () => void this.#probe());
    client.connect().catch(() => undefined); // reported as an event, and tried again
    await settled;
    clearTimeout(timer);
  }

  /** Closes the connection for good; commands under way count as failed. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#open = false;
    this.#wait(null);
    await closeClient(this.#deps.client);
  }

  /** Runs `command` if the gate is open; `otherwise` where it is closed or the command fails. Never rejects. */
  async attempt<T>(command: (client: CommandClient) => Promise<T>, otherwise: T): Promise<T> {
    if (!this.#open) {
      return otherwise;
    }
    const opening = this.#opening;
    try {
      return await command(this.#deps.client);
    } catch (error) {
      this.#failed(error, opening);
      return otherwise;
    }
  }

  #failed(error: unknown, opening: number): void {
    this.#remember(error);
    const code = replyCode(error);
    if (code !== null && !notNow.has(code)) {
      this.#refused(code);
    } else if (opening === this.#opening) {
      if (this.#open && isTimeout(error) && this.#isSteady()) {
        this.#doubt();
      } else {
        this.#close();
      }
    }
    this.#settled();
  }

  /** One answer came late after a good while: as likely this process was busy. A PING tells before anyone is told. */
  #doubt(): void {
    this.#open = false;
    this.#doubted = true;
    this.#told.clear();
    this.#probes = 0;
    void this.#probe();
  }

  #isSteady(): boolean {
    return performance.now() - this.#openedAt > steadyMs;
  }

  /** An answer in time, only not the wanted one: a missing permission, a full memory. */
  #refused(code: string): void {
    if (this.#open) {
      this.#tell(code, true);
    }
  }

  #close(): void {
    if (this.#stopped) {
      return;
    }
    if (this.#open) {
      this.#open = false;
      this.#told.clear();
      if (this.#isSteady()) {
        this.#probes = 0;
      }
    }
    this.#doubted = false;
    this.#tell(this.#lastError, false);
    if (this.#timer === null) {
      this.#wait(backoffMs(++this.#probes, this.#deps.random));
    }
  }

  /** The first reason of an outage, and a few more where they differ (refused at first, then a wrong password). */
  #tell(what: string, up: boolean): void {
    if (this.#told.size < reasonsMost && !this.#told.has(what)) {
      this.#told.add(what);
      this.#deps.report({ up, reason: this.#lastError });
    }
  }

  #wait(ms: number | null): void {
    if (this.#timer !== null) {
      clearTimeout(this.#timer);
    }
    this.#timer = ms === null ? null : setTimeout(() => void this.#probe(), ms).unref();
  }

  async #probe(): Promise<void> {
    this.#wait(null);
    if (this.#stopped || this.#open) {
      return;
    }
    const { client } = this.#deps;
    if (client.status !== 'ready') {
      this.#wait(backoffMs(++this.#probes, this.#deps.random));
      return;
    }
    try {
      await ping(client);
    } catch (error) {
      this.#remember(error);
      this.#close();
      this.#settled();
      return;
    }
    if (!this.#stopped && !this.#open) {
      this.#reopen();
    }
  }

  #reopen(): void {
    this.#open = true;
    this.#opening += 1;
    this.#openedAt = performance.now();
    this.#lastError = 'the connection was closed';
    this.#told.clear();
    this.#wait(null);
    if (!this.#doubted) {
      this.#deps.report({ up: true, reason: null });
    }
    this.#doubted = false;
    this.#settled();
  }

  #remember(error: unknown): void {
    this.#lastError = this.#deps.reasonOf(error);
  }
}

/** In a Cluster every master has to answer: a cache that knows only some keys would still time out on the rest. */
async function ping(client: CommandClient): Promise<void> {
  if (!client.isCluster) {
    await client.ping();
    return;
  }
  const masters = 'nodes' in client ? client.nodes('master') : [];
  if (masters.length === 0) {
    throw new Error('no master of the cluster is known');
  }
  await Promise.all(masters.map((node) => node.ping()));
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'Command timed out';
}

/** The first word of an error that the server itself sent; null for any other. */
function replyCode(error: unknown): string | null {
  const sent = error instanceof Error && error.name === 'ReplyError';
  return sent ? (error.message.split(' ', 1)[0] ?? null) : null;
}
