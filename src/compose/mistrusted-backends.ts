import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Tells the operator of a backend that sent what nobody had asked for. */
export function createMistrustedBackends(
  log: Log,
  metrics: Pick<Metrics, 'upstreamError'>,
): (route: string, backend: string) => void {
  return (route, backend) => {
    metrics.upstreamError('backend_unasked');
    const advice = 'look at what it sends behind its responses; until then it is slower than it could be';
    const told = 'the backend sent what nobody had asked for: no connection to it is kept for a minute';
    log.warn({ route, backend, advice }, told);
  };
}
