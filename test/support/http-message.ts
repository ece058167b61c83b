/** One request or response, exactly as its bytes stood on the wire. */
export interface HttpMessage {
  /** The start line without its CRLF, Latin-1. */
  readonly startLine: string;
  /** Head with the final empty line, Latin-1. */
  readonly head: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  readonly body: Buffer;
  /** Trailer section, Latin-1, '' where there is none. */
  readonly trailers: string;
}

/** The value of the only field of that name (any case), or null. Throws where it stands twice. */
export function field(message: Pick<HttpMessage, 'fields'>, name: string): string | null {
  const found = message.fields.filter(([each]) => each.toLowerCase() === name.toLowerCase());
  if (found.length > 1) throw new Error(`${name} stands ${found.length} times`);
  return found[0]?.[1] ?? null;
}

/** The status of a response. */
export function status(message: HttpMessage): number {
  return Number(/^HTTP\/1\.[01] (\d{3})/.exec(message.startLine)?.[1] ?? Number.NaN);
}

/** What {@link MessageReader} reports. */
export interface MessageEvents {
  head?(message: HttpMessage): void;
  message(message: HttpMessage): void;
  /** Bytes that no strict reader accepts; nothing is read after it. */
  violation(reason: string): void;
}

type Phase =
  | { readonly name: 'head' }
  | { readonly name: 'length'; left: number }
  | { readonly name: 'size' }
  | { readonly name: 'data'; left: number }
  | { readonly name: 'data-end' }
  | { readonly name: 'trailers' }
  | { readonly name: 'close' }
  | { readonly name: 'broken' };

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Cuts a byte stream into HTTP/1.1 messages by RFC 9112, refusing everything ambiguous: what it accepts,
 * every peer reads alike.
 */
export class MessageReader {
  readonly #kind: 'request' | 'response';
  readonly #events: MessageEvents;
  #pending: Buffer = Buffer.alloc(0);
  #phase: Phase = { name: 'head' };
  #current: Omit<HttpMessage, 'body' | 'trailers'> | null = null;
  #body: Buffer[] = [];
  /** Methods of the requests whose responses are still to come: HEAD has no body. */
  readonly methods: string[] = [];

  constructor(kind: 'request' | 'response', events: MessageEvents) {
    this.#kind = kind;
    this.#events = events;
  }

  /** True between messages, with nothing half read. */
  get idle(): boolean {
    return this.#phase.name === 'head' && this.#pending.length === 0;
  }

  push(bytes: Buffer): void {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    while (this.#step());
  }

  /** The peer closed: ends a body that lasts until then, and says whether the stream ended cleanly. */
  end(): boolean {
    if (this.#phase.name === 'close') this.#finish('');
    return this.idle;
  }

  #step(): boolean {
    switch (this.#phase.name) {
      case 'head':
        return this.#readHead();
      case 'length':
      case 'data':
        return this.#readBytes(this.#phase);
      case 'size':
        return this.#readSize();
      case 'data-end':
        return this.#readDataEnd();
      case 'trailers':
        return this.#readTrailers();
      case 'close':
        this.#body.push(this.#pending);
        this.#pending = Buffer.alloc(0);
        return false;
      case 'broken':
        return false;
    }
  }

  #break(reason: string): false {
    this.#phase = { name: 'broken' };
    this.#events.violation(reason);
    return false;
  }

  #line(): string | null {
    const at = this.#pending.indexOf('\r\n');
    if (at < 0) return null;
    const line = this.#pending.toString('latin1', 0, at);
    this.#pending = this.#pending.subarray(at + 2);
    return line;
  }

  #readHead(): boolean {
    const at = this.#pending.indexOf('\r\n\r\n');
    if (at < 0) return false;
    const head = this.#pending.toString('latin1', 0, at + 4);
    this.#pending = this.#pending.subarray(at + 4);
    const [startLine = '', ...lines] = head.slice(0, -4).split('\r\n');
    if (/[\r\n\0]/.test(head.replaceAll('\r\n', ''))) return this.#break('bare CR, LF or NUL in the head');
    const start =
      this.#kind === 'request' ? /^[!-~]+ [!-~]+ HTTP\/1\.[01]$/ : /^HTTP\/1\.[01] \d{3}( [^\r\n]*)?$/;
    if (!start.test(startLine)) return this.#break(`start line ${JSON.stringify(startLine)}`);
    const fields: [string, string][] = [];
    for (const line of lines) {
      const colon = line.indexOf(':');
      const name = line.slice(0, Math.max(colon, 0));
      if (!TOKEN.test(name)) return this.#break(`field line ${JSON.stringify(line)}`);
      fields.push([name, line.slice(colon + 1).trim()]);
    }
    return this.#frame(head, startLine, fields);
  }

  #frame(head: string, startLine: string, fields: [string, string][]): boolean {
    const values = (name: string): string[] =>
      fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
    const lengths = values('content-length');
    const codings = values('transfer-encoding');
    if (lengths.length > 1 || (lengths[0] !== undefined && !/^(0|[1-9]\d*)$/.test(lengths[0]))) {
      return this.#break(`Content-Length ${JSON.stringify(lengths)}`);
    }
    if (codings.length > 1 || (codings[0] !== undefined && codings[0].toLowerCase() !== 'chunked')) {
      return this.#break(`Transfer-Encoding ${JSON.stringify(codings)}`);
    }
    if (lengths.length > 0 && codings.length > 0) return this.#break('both lengths');
    const bodyless = this.#kind === 'response' && this.#hasNoBody(startLine);
    const framing = bodyless
      ? 'none'
      : codings.length > 0
        ? 'chunked'
        : lengths.length > 0
          ? 'length'
          : this.#kind === 'request'
            ? 'none'
            : 'close';
    this.#current = { startLine, head, fields, framing };
    this.#body = [];
    this.#events.head?.({ ...this.#current, body: Buffer.alloc(0), trailers: '' });
    if (framing === 'none') this.#finish('');
    else if (framing === 'length') {
      const left = Number(lengths[0]);
      if (left === 0) this.#finish('');
      else this.#phase = { name: 'length', left };
    } else this.#phase = framing === 'chunked' ? { name: 'size' } : { name: 'close' };
    return true;
  }

  #hasNoBody(startLine: string): boolean {
    const code = Number(startLine.slice(9, 12));
    if (code >= 100 && code < 200) return true;
    const method = this.methods.shift();
    return method === 'HEAD' || code === 204 || code === 304;
  }

  #readBytes(phase: { readonly name: 'length' | 'data'; left: number }): boolean {
    if (this.#pending.length === 0) return false;
    const part = this.#pending.subarray(0, phase.left);
    this.#pending = this.#pending.subarray(part.length);
    this.#body.push(part);
    phase.left -= part.length;
    if (phase.left > 0) return false;
    if (phase.name === 'length') this.#finish('');
    else this.#phase = { name: 'data-end' };
    return true;
  }

  #readSize(): boolean {
    const line = this.#line();
    if (line === null) return false;
    if (!/^[0-9a-fA-F]{1,13}$/.test(line))
      return this.#break(`chunk size ${JSON.stringify(line.slice(0, 80))}`);
    const left = Number.parseInt(line, 16);
    this.#phase = left === 0 ? { name: 'trailers' } : { name: 'data', left };
    return true;
  }

  #readDataEnd(): boolean {
    if (this.#pending.length < 2) return false;
    if (this.#pending[0] !== 13 || this.#pending[1] !== 10) return this.#break('chunk not ended by CRLF');
    this.#pending = this.#pending.subarray(2);
    this.#phase = { name: 'size' };
    return true;
  }

  #readTrailers(): boolean {
    if (this.#pending.length >= 2 && this.#pending[0] === 13 && this.#pending[1] === 10) {
      this.#pending = this.#pending.subarray(2);
      this.#finish('');
      return true;
    }
    const at = this.#pending.indexOf('\r\n\r\n');
    if (at < 0) return false;
    const trailers = this.#pending.toString('latin1', 0, at + 2);
    this.#pending = this.#pending.subarray(at + 4);
    this.#finish(trailers);
    return true;
  }

  #finish(trailers: string): void {
    const current = this.#current;
    if (current === null) throw new Error('a message ended that never began');
    this.#current = null;
    this.#phase = { name: 'head' };
    this.#events.message({ ...current, body: Buffer.concat(this.#body), trailers });
  }
}
