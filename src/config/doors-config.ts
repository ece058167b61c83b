/** The proxies that may ask, each in its own way; `/doors/NAME` is where. */
export const doorNames = ['nginx', 'ingress-nginx', 'caddy', 'traefik', 'haproxy', 'envoy'] as const;

/** One of the proxies that may ask. */
export type DoorName = (typeof doorNames)[number];

/** Where other proxies ask for decisions. */
export interface DoorsConfig {
  readonly host: string;
  /** Null: nobody can ask. */
  readonly port: number | null;
  /** CIDR blocks of those who may ask; everybody else is answered 403. */
  readonly trusted: readonly string[];
  readonly open: readonly DoorName[];
  /** Where Envoy asks over gRPC, on the same host; null: nowhere. */
  readonly grpcPort: number | null;
}
