/** A request as it is known before anything is decided. */
export interface SpanStart {
  /** As the client sent it, if it is a known one; `_OTHER` otherwise. */
  readonly method: string;
  readonly scheme: 'http' | 'https';
  /** The authority that the client asked for, checked and in lower case; null where there is none worth naming. */
  readonly host: string | null;
  /** `1.0`, `1.1` or `2.0`. */
  readonly httpVersion: string;
  readonly requestId: string;
  /** W3C Trace Context as received, of a client that is believed; null: the span begins a trace of its own. */
  readonly parent: { readonly traceparent: string; readonly tracestate: string } | null;
}

/** How a request ended. */
export interface SpanEnd {
  /** Null where it was found neither before a refusal nor at all. */
  readonly route: { readonly name: string; readonly path: string } | null;
  /** 0: nothing was answered. */
  readonly status: number;
  /** As in the access line. */
  readonly outcome: string;
  /** What failed here or behind us; null where nothing did, refusals included. */
  readonly errorType: string | null;
}

/** The span of one request. */
export interface RequestSpan {
  /** `traceparent`, and `tracestate` where there is one, with their values: flat, for the backend. */
  readonly context: readonly string[];
  /** To be called once. Never throws. */
  end(end: SpanEnd): void;
}

/** Makes the spans of requests. */
export interface RequestSpans {
  /** Null where the SDK failed: a request never does for that. */
  begin(start: SpanStart): RequestSpan | null;
}
