import { Fault } from '../core/errors.ts';
import type { TokenId } from '../core/ids.ts';
import type { AssertionSigner } from '../gateway/assertion.ts';
import type { AdminListenerDeps } from '../server/admin-listener.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { OpenedStore } from './store.ts';

/** What the admin listener shows of one process; the gateway is ready while its store can be read. */
export function adminView(
  store: OpenedStore,
  metrics: Pick<Metrics, 'render' | 'contentType'>,
  assertions: Pick<AssertionSigner, 'jwks'>,
): AdminListenerDeps {
  return {
    readiness: [{ name: 'store', problem: () => storeProblem(store) }],
    renderMetrics: () => metrics.render(),
    metricsType: metrics.contentType,
    jwks: () => JSON.stringify(assertions.jwks),
  };
}

async function storeProblem({ tokens }: OpenedStore): Promise<string | null> {
  try {
    await tokens.get('' as TokenId);
    return null;
  } catch (error) {
    return error instanceof Fault ? error.message : 'the store failed';
  }
}
