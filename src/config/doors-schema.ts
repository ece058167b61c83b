import { z } from 'zod';
import { parseCidr, parseListenHost } from './addresses.ts';
import { doorNames, type DoorsConfig } from './doors-config.ts';
import { leaf, optional, wholeNumber } from './schema-parts.ts';

/** `doors:` of the configuration file. */
export const doorsSchema: z.ZodType<DoorsConfig> = z.strictObject({
  host: leaf(parseListenHost, 'Address to listen on.').prefault('127.0.0.1'),
  port: optional(wholeNumber('Port; 0 takes a free one. Left out, nobody can ask.', [0, 65535])),
  trusted: z
    .array(leaf(parseCidr, 'Address or CIDR block.'))
    .default(['127.0.0.0/8', '::1/128'])
    .meta({ description: 'Who may ask, and is believed about the client; everybody else is answered 403.' }),
  open: z
    .array(z.enum(doorNames))
    .default([])
    .meta({ description: 'Which proxies ask: each at /doors/NAME.' }),
  grpcPort: optional(
    wholeNumber('Port where Envoy asks over gRPC; 0 takes a free one. Left out, none.', [0, 65535]),
  ),
});
