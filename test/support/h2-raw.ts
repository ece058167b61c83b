import { connect, type TLSSocket } from 'node:tls';
import { eventually } from './eventually.ts';

/** Frame types (RFC 9113 section 6). */
export const frameType = {
  data: 0,
  headers: 1,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** Flags, which mean different things for different types. */
export const flag = { endStream: 1, ack: 1, endHeaders: 4 } as const;

/** What a frame says. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** A field of a head, pseudo-fields included, Latin-1. */
export type RawField = readonly [name: string, value: string];

/** What became of one stream. */
export interface StreamEnd {
  /** The final status, or null. */
  readonly status: number | null;
  readonly body: Buffer;
  /** It ended in order. */
  readonly ended: boolean;
  /** The code of the reset, or null. */
  readonly reset: number | null;
}

/** A connection of HTTP/2 over which a test sends exactly the frames it chose. */
export interface RawSession {
  readonly socket: TLSSocket;
  send(...frames: readonly Buffer[]): void;
  readonly frames: readonly Frame[];
  /** The code with which the peer ended the connection, or null. */
  goaway(): number | null;
  isClosed(): boolean;
  /** What is known of a stream by now. */
  stream(id: number): StreamEnd;
  /** Waits until a stream or the connection has ended. */
  end(id: number): Promise<StreamEnd>;
  destroy(): void;
}

/** Opens one to 127.0.0.1, whatever its certificate, and sends preface and settings (no dynamic table for answers). */
export async function openRawSession(port: number, settings: Buffer = noTable): Promise<RawSession> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve).once('error', reject);
  });
  const frames: Frame[] = [];
  let rest = Buffer.alloc(0);
  let closed = false;
  socket.on('error', () => undefined).on('close', () => (closed = true));
  socket.on('data', (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 9 && rest.length >= 9 + rest.readUIntBE(0, 3)) {
      const length = rest.readUIntBE(0, 3);
      const [type, flags, stream] = [rest.readUInt8(3), rest.readUInt8(4), rest.readUInt32BE(5)];
      frames.push({ type, flags, stream, payload: rest.subarray(9, 9 + length) });
      rest = rest.subarray(9 + length);
    }
  });
  const of = (type: number, id: number): readonly Frame[] =>
    frames.filter((each) => each.type === type && each.stream === id);
  const goaway = (): number | null => of(frameType.goaway, 0).at(-1)?.payload.readUInt32BE(4) ?? null;
  const stream = (id: number): StreamEnd => ({
    status:
      of(frameType.headers, id)
        .map(({ payload }) => statusOf(payload))
        .findLast((status) => status !== null) ?? null,
    body: Buffer.concat(of(frameType.data, id).map(({ payload }) => payload)),
    ended: [...of(frameType.data, id), ...of(frameType.headers, id)].some(
      ({ flags }) => (flags & flag.endStream) !== 0,
    ),
    reset: of(frameType.reset, id)[0]?.payload.readUInt32BE(0) ?? null,
  });
  const send = (...parts: readonly Buffer[]): void => {
    if (!closed) socket.write(Buffer.concat(parts));
  };
  send(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(frameType.settings, 0, 0, settings));
  return {
    socket,
    send,
    frames,
    goaway,
    isClosed: () => closed,
    stream,
    async end(id) {
      await eventually(`the end of stream ${id}`, () => {
        const { ended, reset } = stream(id);
        return ended || reset !== null || closed || goaway() !== null;
      });
      return stream(id);
    },
    destroy: () => void socket.destroy(),
  };
}

/** SETTINGS_HEADER_TABLE_SIZE of 0. */
const noTable = setting(1, 0);

/** One setting (RFC 9113 section 6.5.1). */
export function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

/** The bytes of a frame. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A whole head, in as many frames as it takes. */
export function headers(stream: number, fields: readonly RawField[], ends = true): Buffer {
  const block = encode(fields);
  const frames: Buffer[] = [];
  for (let at = 0; at < block.length; at += framePayloadMax) {
    const last = at + framePayloadMax >= block.length ? flag.endHeaders : 0;
    const [type, first] =
      at === 0 ? [frameType.headers, ends ? flag.endStream : 0] : [frameType.continuation, 0];
    frames.push(frame(type, first | last, stream, block.subarray(at, at + framePayloadMax)));
  }
  return Buffer.concat(frames);
}

/** No more is taken before settings say so (RFC 9113 section 4.2). */
const framePayloadMax = 16_384;

/** Literals without indexing (RFC 7541 section 6.2.2): any bytes go through as they are. */
export function encode(fields: readonly RawField[]): Buffer {
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.from([0]), text(name), text(value)]));
}

function text(latin1: string): Buffer {
  const bytes = Buffer.from(latin1, 'latin1');
  const length: number[] = [];
  let left = bytes.length;
  if (left < 127) length.push(left);
  else {
    length.push(127);
    left -= 127;
    while (left >= 128) {
      length.push((left % 128) + 128);
      left = Math.floor(left / 128);
    }
    length.push(left);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}

/** Statuses that the static table holds whole (RFC 7541 appendix A, from 8 on). */
const indexed = [200, 204, 206, 304, 400, 404, 500];
/** The digits in the Huffman code of RFC 7541 appendix B. */
const digits: Readonly<Record<string, string>> = {
  '00000': '0',
  '00001': '1',
  '00010': '2',
  '011001': '3',
  '011010': '4',
  '011011': '5',
  '011100': '6',
  '011101': '7',
  '011110': '8',
  '011111': '9',
};

/** The status at the start of a head, or null where none is there, or an interim one. */
function statusOf(head: Buffer): number | null {
  let at = 0;
  // The size of the dynamic table may be said first.
  while (((head[at] ?? 0) & 0xe0) === 0x20) at++;
  const first = head[at] ?? 0;
  if (first >= 0x88 && first <= 0x8e) return indexed[first - 0x88] ?? null;
  if ((first & 0x0f) !== 8 && first !== 0x48) return null;
  const size = head[at + 1] ?? 0;
  const bytes = head.subarray(at + 2, at + 2 + (size & 0x7f));
  const written = (size & 0x80) === 0 ? bytes.toString() : huffmanDigits(bytes);
  const status = Number(written);
  return status >= 200 ? status : null;
}

function huffmanDigits(bytes: Buffer): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let out = '';
  let code = '';
  for (const bit of bits) {
    code += bit;
    const digit = digits[code];
    if (digit === undefined) continue;
    out += digit;
    code = '';
    if (out.length === 3) break;
  }
  return out;
}
