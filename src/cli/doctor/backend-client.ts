import { backendPlace } from '../../config/backend-address.ts';
import type { RouteConfig } from '../../config/config.ts';
import type { Exchange, ExchangeRequest, ExchangeResponse } from './http-exchange.ts';

/** Speaks to one backend of a route as the gateway would. */
export interface BackendClient {
  readonly route: RouteConfig;
  readonly origin: string;
  /** Whether requests carry a user name in the route's identity header. */
  readonly identified: boolean;
  send(
    method: string,
    path: string,
    options?: Pick<ExchangeRequest, 'body' | 'chunked'> & {
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<ExchangeResponse>;
  /** The URL by which this backend knows a path of its own: what Destination is mapped to. */
  ownUrl(path: string): string;
}

/** `user` null: no identity is sent, nor a shared secret, which is nothing without a name. */
export function backendClient(
  route: RouteConfig,
  origin: string,
  user: string | null,
  exchange: Exchange,
): BackendClient {
  const host = hostSent(route, origin);
  const fixed: Record<string, string> = { host, ...authorization(route, user) };
  if (user !== null && route.identity.user !== null) fixed[route.identity.user] = user;
  return {
    route,
    origin,
    identified: user !== null && route.identity.user !== null,
    send: (method, path, { headers = {}, ...body } = {}) =>
      exchange({
        method,
        origin,
        path,
        headers: { ...fixed, ...headers },
        ca: route.backendCa,
        pair: route.backendTls,
        ...body,
      }),
    ownUrl: (path) => `${route.backendOrigin ?? `${backendPlace(origin).url.protocol}//${host}`}${path}`,
  };
}

/** A decoded path as it stands in a request target. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

/** What a client would ask for is only known where the route names its host. */
function hostSent(route: RouteConfig, origin: string): string {
  const own = backendPlace(origin).url.host;
  if (route.host === 'backend') return own;
  if (route.host === 'preserve') return route.match.host ?? own;
  return route.host;
}

function authorization(route: RouteConfig, user: string | null): Readonly<Record<string, string>> {
  const auth = route.backendAuth;
  if (auth.kind === 'serviceAccount') return { authorization: basic(auth.user, auth.password) };
  if (auth.kind === 'sharedSecret' && user !== null) return { authorization: basic(user, auth.secret) };
  return {};
}

function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}
