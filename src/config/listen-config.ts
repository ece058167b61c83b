/** A certificate with those that lead to its authority, and its private key; both PEM text. */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** How clients are spoken to in TLS. */
export interface ListenTlsConfig extends TlsPair {
  /** Absolute path that `cert` was read from, and may be read from again; null where it came from a variable. */
  readonly certFile: string | null;
  readonly keyFile: string | null;
  /** Offer HTTP/2 to clients. Default true. */
  readonly http2: boolean;
}

/** Where clients connect. */
export interface ListenConfig {
  /** Null listens on every address. */
  readonly host: string | null;
  readonly port: number;
  /** Absolute path of a socket file to listen on instead of host and port; null: none. */
  readonly socket: string | null;
  /** Permissions of that file. Default 0o660. */
  readonly socketMode: number;
  /** Every connection begins with a header of the PROXY protocol from one of `trustedProxies`. Default false. */
  readonly proxyProtocol: boolean;
  /** Null: plain HTTP. */
  readonly tls: ListenTlsConfig | null;
}
