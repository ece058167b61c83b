/*
 * The messages of proto/ext_authz.proto as they are decoded: what was not sent is absent.
 */

/** One header line. `rawValue` where Envoy sends headers byte for byte, else `value`. */
export interface HeaderValue {
  readonly key?: string;
  readonly value?: string;
  readonly rawValue?: Uint8Array;
}

/** What Envoy tells of the client's request. */
export interface HttpRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly path?: string;
  readonly host?: string;
  readonly scheme?: string;
  readonly headerMap?: { readonly headers?: readonly HeaderValue[] };
}

/** The question. */
export interface CheckRequest {
  readonly attributes?: {
    readonly source?: { readonly address?: { readonly socketAddress?: { readonly address?: string } } };
    readonly request?: { readonly http?: HttpRequest };
  };
}

/** A header that Envoy sets; with `append` it stands beside one of the same name instead of replacing it. */
export interface HeaderValueOption {
  readonly header: { readonly key: string; readonly value: string };
  readonly append: { readonly value: boolean };
}

/** The answer. One without any field would be an allow: `status` is always there. */
export interface CheckResponse {
  readonly status: { readonly code: number };
  readonly deniedResponse?: {
    readonly status: { readonly code: number };
    readonly headers: readonly HeaderValueOption[];
    readonly body: string;
  };
  readonly okResponse?: {
    readonly headers: readonly HeaderValueOption[];
    readonly headersToRemove: readonly string[];
  };
}
