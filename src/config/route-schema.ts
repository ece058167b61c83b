import { z } from 'zod';
import { parseAuthority, parseOrigin } from './addresses.ts';
import { parseBackend } from './backend-address.ts';
import type { Channel, RouteConfig, RouteKind } from './config.ts';
import { parseFieldName, parseHeaderTemplate, parseParameterName } from './field-names.ts';
import { parseFolder, parseFolderTemplate, parsePlainPath } from './paths.ts';
import type { Parsed } from './quantities.ts';
import { leaf, oneOrMany, optional, secret, type SecretReference } from './schema-parts.ts';

/** How the gateway identifies itself to a backend, secrets not yet read. */
export type WrittenBackendAuth =
  | 'none'
  | { readonly serviceAccount: { readonly user: string; readonly password: SecretReference } }
  | { readonly sharedSecret: SecretReference };

/** A route as written: everything in place but its secrets. */
export interface WrittenRoute extends Omit<RouteConfig, 'backendAuth' | 'backendCa' | 'backendTls'> {
  readonly backendAuth: WrittenBackendAuth;
  readonly backendCa: SecretReference | null;
  readonly backendTls: {
    readonly cert: SecretReference;
    readonly key: SecretReference;
    readonly ca: SecretReference | null;
  } | null;
}

/** One backend URL or several. */
export const backendSchema: z.ZodType<readonly string[]> = oneOrMany(
  leaf(parseBackend, 'http:// or https:// URL without a path, or unix: and the path of a socket.'),
  'a backend URL',
  'Where requests go: one URL, or several that serve the same data.',
);

const identitySchema = z.strictObject({
  user: leaf(parseFieldName, 'Header that carries the user name; null sends none.')
    .nullable()
    .prefault('X-Remote-User'),
  assertion: optional(
    leaf(parseFieldName, 'Header that carries a signed assertion (EdDSA JWT); null sends none.').nullable(),
  ),
  headers: z
    .record(z.string(), leaf(parseHeaderTemplate, 'Value; {user} {userId} {tokenId} {route} are filled in.'))
    .default({})
    .meta({ description: 'Further headers and their values.' }),
});

const channelSchema: z.ZodType<Channel> = z.union(
  [
    z.enum(['basic', 'bearer']),
    z.strictObject({ header: leaf(parseFieldName, 'Header that carries a token, such as apiToken.') }),
    z.strictObject({
      query: leaf(parseParameterName, 'Query parameter that carries a token, such as session.'),
    }),
  ],
  { error: 'must be basic, bearer, {header: NAME} or {query: NAME}' },
);

const backendAuthSchema: z.ZodType<WrittenBackendAuth> = z
  .union(
    [
      z.literal('none'),
      z.strictObject({
        serviceAccount: z
          .strictObject({
            user: leaf(parseAccountName, 'User name of the account at the backend.'),
            password: secret('Its password.'),
          })
          .meta({ description: 'One account for all requests.' }),
      }),
      z.strictObject({ sharedSecret: secret('Password sent with the name of the user.') }),
    ],
    {
      error:
        'must be none, {serviceAccount: {user: NAME, password: {fromFile: PATH}}} or {sharedSecret: {fromFile: PATH}}',
    },
  )
  .meta({ description: 'How the gateway itself signs in to the backend.' });

const nodesSchema = z.union(
  [
    z.strictObject({
      template: leaf(parseNodeTemplate, 'Folder of a node; {node} is its uuid, such as /dav/spaces/{node}/.'),
    }),
    z.strictObject({
      table: z
        .record(z.string(), leaf(parsePlainPath, 'Folder (with a slash at the end) or file.'))
        .meta({ description: 'Path of each node, by its uuid.' }),
    }),
  ],
  { error: 'must be {template: /dav/spaces/{node}/} or {table: {NODE: /path/}}' },
);

const kinds: readonly [RouteKind, ...RouteKind[]] = ['webdav', 'caldav', 'rest'];

/** One entry of `routes`. */
export const routeSchema: z.ZodType<WrittenRoute> = z.strictObject({
  name: leaf(parseRouteName, 'Name in logs, metrics and route: scopes.'),
  match: z
    .strictObject({
      host: optional(leaf(parseAuthority, 'Host that clients ask for; left out, every host.')),
      path: leaf(parseFolder, 'Path prefix, with a slash at both ends.').prefault('/'),
    })
    .prefault({})
    .meta({ description: 'Which requests take this route; the longest path wins.' }),
  backend: backendSchema,
  kind: z.enum(kinds).default('webdav').meta({ description: 'What the backend speaks.' }),
  accept: z
    .array(channelSchema)
    .min(1, { error: 'must hold at least one way to send a token, such as basic' })
    .default(['basic', 'bearer'])
    .meta({ description: 'Where clients may put their token.' }),
  mainPassword: z
    .enum(['refuse', 'allow'])
    .default('refuse')
    .meta({ description: "Whether the user's own password is accepted in place of a token." }),
  identity: identitySchema.prefault({}).meta({ description: 'Headers that tell the backend who asks.' }),
  backendAuth: backendAuthSchema.default('none'),
  host: leaf(
    parseHostRule,
    'Host sent to the backend: preserve (what the client asked for), backend, or a name.',
  ).prefault('preserve'),
  backendOrigin: optional(
    leaf(parseOrigin, 'Scheme and host that the backend believes it has, for Destination and If.'),
  ),
  spool: z
    .boolean()
    .default(false)
    .meta({ description: 'Hold uploads of unknown length in a file and send them with a length.' }),
  uploads: optional(
    leaf(
      (text) => parseFolderTemplate(text, ['user']),
      'Chunked-upload folder, such as /dav/uploads/{user}/.',
    ),
  ),
  nodes: optional(nodesSchema.meta({ description: 'How node: scopes map to paths.' })),
  backendCa: optional(
    secret('PEM certificates of the authority that signed the backend; left out, the public ones.'),
  ),
  backendTls: optional(
    z
      .strictObject({
        cert: secret(
          'PEM certificate of the gateway as a client, and behind it those that lead to its authority.',
        ),
        key: secret('PEM private key of that certificate, without a passphrase.'),
        ca: optional(secret('The same as backendCa.')),
      })
      .meta({ description: 'How the gateway makes itself known to the backend in TLS.' }),
  ),
});

function parseRouteName(text: string): Parsed<string> {
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return { value: text };
  return { wrong: 'must be lower-case letters, digits and hyphens, such as files' };
}

function parseAccountName(text: string): Parsed<string> {
  if (/^[^:\p{Cc}]+$/u.test(text)) return { value: text };
  return { wrong: 'must be a user name without colon or control character' };
}

function parseHostRule(text: string): Parsed<string> {
  const name = parseAuthority(text);
  return 'value' in name ? name : { wrong: 'must be preserve, backend or a host name' };
}

function parseNodeTemplate(text: string): Parsed<string> {
  if (text.split('{node}').length !== 2) return { wrong: 'must hold {node} once' };
  return parseFolderTemplate(text, ['node']);
}
