import { z } from 'zod';
import { parseCidr, parseListenHost } from './addresses.ts';
import type { ListenConfig, ListenTlsConfig } from './listen-config.ts';
import type { Parsed } from './quantities.ts';
import { leaf, optional, parseFileName, secret, type SecretReference, wholeNumber } from './schema-parts.ts';

/** `listen` as written: certificate and key not yet read. */
export interface WrittenListen extends Omit<ListenConfig, 'tls'> {
  readonly tls:
    | (Pick<ListenTlsConfig, 'http2'> & { readonly cert: SecretReference; readonly key: SecretReference })
    | null;
}

const tlsSchema = z.strictObject({
  cert: secret('PEM certificate of this server, and behind it those that lead to its authority.'),
  key: secret('PEM private key of that certificate, without a passphrase.'),
  http2: z.boolean().default(true).meta({ description: 'Offer HTTP/2 beside HTTP/1.1.' }),
});

/** `listen:` of the configuration file. */
export const listenSchema: z.ZodType<WrittenListen> = z.strictObject({
  host: optional(leaf(parseListenHost, 'Address to listen on; left out, all of them.')),
  port: wholeNumber('Port; 0 takes a free one.', [0, 65535]).default(8080),
  socket: optional(
    leaf(parseFileName, 'Socket file to listen on, instead of host and port; relative to this file.'),
  ),
  socketMode: leaf(parseMode, "Permissions of that file, in quotes, such as '0660'.").prefault('0660'),
  proxyProtocol: z.boolean().default(false).meta({
    description:
      'Every connection comes from one of trustedProxies and begins with a header of the PROXY protocol, version 1 or 2.',
  }),
  tls: optional(
    tlsSchema.meta({
      description:
        'Speak TLS 1.2 and 1.3 with clients; both files are read again as they change. Left out, plain HTTP.',
    }),
  ),
});

/** A proxy: an address, a CIDR block, or whoever comes over the unix socket. */
export function parseTrusted(text: string): Parsed<string> {
  return text === 'unix:' ? { value: text } : parseCidr(text);
}

function parseMode(text: string): Parsed<number> {
  // Who listens there has to read and write.
  if (/^0?[67][0-7]{2}$/.test(text)) return { value: Number.parseInt(text, 8) };
  return { wrong: "must be permissions in quotes by which the owner may read and write, such as '0660'" };
}
