import { z } from 'zod';
import { parseListenHost } from './addresses.ts';
import type { ListenConfig, ListenTlsConfig } from './listen-config.ts';
import { leaf, optional, secret, type SecretReference, wholeNumber } from './schema-parts.ts';

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
  tls: optional(
    tlsSchema.meta({
      description:
        'Speak TLS 1.2 and 1.3 with clients; both files are read again as they change. Left out, plain HTTP.',
    }),
  ),
});
