/** Traces of requests, by OpenTelemetry. */
export interface TracingConfig {
  /** Default false: nothing of it is loaded. */
  readonly enabled: boolean;
}
