import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { within } from './eventually.ts';

/** A mail as it arrived. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Everything between DATA and the dot. */
  readonly raw: string;
  readonly overTls: boolean;
  readonly account: string | null;
  /** The header of this name, unfolded and decoded; null where there is none. */
  header(name: string): string | null;
  /** Names of all headers, in order. */
  readonly headerNames: readonly string[];
  /** The body, decoded. */
  readonly text: string;
}

/** A mail server that keeps what it is given. */
export interface MailServer {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** Resolves once there are so many. */
  received(count: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts one on 127.0.0.1; without TLS and accounts unless `options` say otherwise. `port` 0 takes a free one. */
export async function startMailServer(options: SMTPServerOptions = {}, port = 0): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  const waiting: (() => void)[] = [];
  const server = new SMTPServer({
    authOptional: true,
    // It would else offer a certificate of its own.
    disabledCommands: options.key === undefined ? ['STARTTLS'] : [],
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        const to = rcptTo.map(({ address }) => address);
        const account = session.user === undefined ? null : String(session.user);
        const raw = Buffer.concat(chunks).toString('utf8');
        const from = mailFrom === false ? '' : (mailFrom?.address ?? '');
        mails.push({ ...{ from, to, raw, account, overTls: session.secure }, ...parse(raw) });
        for (const wake of waiting.splice(0)) wake();
        done();
      });
    },
    ...options,
  });
  // What clients do wrong is theirs.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    async received(count) {
      while (mails.length < count) {
        const more = new Promise<void>((resolve) => waiting.push(resolve));
        await within(`mail ${mails.length + 1}`, 20_000, more);
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
      }),
  };
}

function parse(raw: string): Pick<ReceivedMail, 'header' | 'headerNames' | 'text'> {
  const end = raw.indexOf('\r\n\r\n');
  const fields = raw
    .slice(0, end)
    .replaceAll(/\r\n[ \t]+/g, ' ')
    .split('\r\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const);
  const header = (name: string): string | null =>
    decodeWords(fields.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1] ?? null);
  const body = raw.slice(end + 4);
  const encoding = header('content-transfer-encoding');
  const text =
    encoding === 'base64'
      ? Buffer.from(body, 'base64').toString()
      : encoding === 'quoted-printable'
        ? unquote(body.replaceAll('=\r\n', '')).toString()
        : body;
  return { header, headerNames: fields.map(([key]) => key), text: text.replaceAll('\r\n', '\n') };
}

/** RFC 2047. */
function decodeWords(text: string | null): string | null {
  const joined = text?.replaceAll(/\?=\s+=\?/g, '?==?');
  return (
    joined?.replaceAll(/=\?UTF-8\?([QB])\?([^?]*)\?=/gi, (_whole, kind: string, word: string) =>
      (kind.toUpperCase() === 'B'
        ? Buffer.from(word, 'base64')
        : unquote(word.replaceAll('_', ' '))
      ).toString(),
    ) ?? null
  );
}

function unquote(text: string): Buffer {
  const bytes = text.replaceAll(/=([0-9A-F]{2})/gi, (_whole, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1');
}
