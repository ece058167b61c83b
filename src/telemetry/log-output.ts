import type { Writable } from 'node:stream';
import type { Clock } from '../core/clock.ts';

/** Where lines go and how many may wait. */
export interface LogOutputOptions {
  /** Usually process.stdout. Never ended by the output. */
  readonly stream: Writable;
  readonly clock: Clock;
  /** Characters that may wait for a slow reader; lines beyond are dropped and counted. Default 4 Mi. */
  readonly pendingMax?: number;
  /** Longest wait of a line for others to share its write. Default 100 ms. */
  readonly flushMs?: number;
  /**
   * Bytes that one write may have, for a stream that other processes write to as well: a pipe takes 4,096 as one, and
   * may mix what is longer with what others write. Only whole lines are written together. Default: no limit.
   */
  readonly writeBytesMax?: number;
}

/** Errors of a disk without room, which may have some later. */
const passing: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** Written at once when this many characters wait. */
const chunkLength = 32 * 1024;

/**
 * Log lines on their way out: gathered into few writes, one write in flight at a time, and bounded.
 * A reader that is slow, or a disk that is full, costs lines (counted, and told in the log once it takes them
 * again), never memory and never the request path; a reader that is gone costs every line from then on, never an exception.
 */
export class LogOutput {
  readonly #stream: Writable;
  readonly #clock: Clock;
  readonly #pendingMax: number;
  readonly #flushMs: number;
  readonly #writeBytesMax: number;
  #pending = '';
  #writing = false;
  #broken = false;
  #unreported = 0;
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;
  #idle: (() => void)[] = [];
  readonly #onError = (error: NodeJS.ErrnoException): void => {
    if (!passing.has(error.code)) this.#break();
  };
  readonly #onExit = (): void => this.#send();

  constructor(options: LogOutputOptions) {
    this.#stream = options.stream;
    this.#clock = options.clock;
    this.#pendingMax = options.pendingMax ?? 4 * 1024 * 1024;
    this.#flushMs = options.flushMs ?? 100;
    this.#writeBytesMax = options.writeBytesMax ?? Infinity;
    this.#stream.on('error', this.#onError);
    // Also after a crash: what waits is handed to the stream while it still takes it.
    process.on('exit', this.#onExit);
  }

  /** Lines lost since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Characters now waiting, the write in flight excluded. */
  get pendingLength(): number {
    return this.#pending.length;
  }

  /** Takes one line, newline included. Never blocks, never throws. */
  write(line: string): void {
    if (this.#broken || this.#pending.length + line.length > this.#pendingMax) {
      this.#dropped++;
      this.#unreported++;
      return;
    }
    this.#pending += line;
    if (this.#writing) return;
    if (this.#pending.length >= chunkLength) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), this.#flushMs).unref();
  }

  /** Resolves when every line taken so far is out or lost, at the latest after `deadlineMs`. */
  async flush(deadlineMs = 1_000): Promise<void> {
    if (!this.#writing) this.#send();
    if (!this.#writing) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const deadline = setTimeout(resolve, deadlineMs);
    this.#idle.push(resolve);
    await promise;
    clearTimeout(deadline);
  }

  /** Flushes and lets go of the stream; lines after that are lost. */
  async close(deadlineMs = 1_000): Promise<void> {
    await this.flush(deadlineMs);
    process.off('exit', this.#onExit);
    // The error listener stays: a stream may still fail with what it holds, and that must not crash us.
    this.#break();
  }

  #send(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#broken || this.#pending === '') return;
    const chunk = this.#takeChunk();
    this.#writing = true;
    this.#stream.write(chunk, (error) => this.#written(chunk, error));
  }

  #takeChunk(): string {
    const pending = this.#pending;
    let end = pending.length;
    // No character takes more than three bytes of UTF-8, so most texts need not be measured.
    if (end * 3 > this.#writeBytesMax) {
      end = pending.indexOf('\n') + 1;
      for (
        let next = pending.indexOf('\n', end) + 1, bytes = Buffer.byteLength(pending.slice(0, end));
        next > 0;
        next = pending.indexOf('\n', end) + 1
      ) {
        bytes += Buffer.byteLength(pending.slice(end, next));
        if (bytes > this.#writeBytesMax) break;
        end = next;
      }
    }
    this.#pending = pending.slice(end);
    return pending.slice(0, end);
  }

  #written(chunk: string, error: NodeJS.ErrnoException | null | undefined): void {
    this.#writing = false;
    if (error) this.#failed(chunk, error);
    else this.#goOn();
    if (this.#writing) return;
    const idle = this.#idle;
    this.#idle = [];
    for (const resolve of idle) resolve();
  }

  #failed(chunk: string, error: NodeJS.ErrnoException): void {
    if (!passing.has(error.code)) {
      this.#break();
      return;
    }
    const lines = chunk.split('\n').length - 1;
    this.#dropped += lines;
    this.#unreported += lines;
    // What waits is tried in a while, with what has come by then.
    if (this.#pending !== '') this.#timer ??= setTimeout(() => this.#send(), this.#flushMs).unref();
  }

  #goOn(): void {
    if (this.#unreported > 0 && !this.#broken) {
      this.#pending += `{"level":"warn","time":${this.#clock.now()},"dropped":${this.#unreported},"msg":"log lines were dropped: the reader of the log is too slow, or its disk was full"}\n`;
      this.#unreported = 0;
    }
    this.#send();
  }

  #break(): void {
    this.#broken = true;
    this.#pending = '';
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}
