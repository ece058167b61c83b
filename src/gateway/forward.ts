import { Fault, isBackendFault } from '../core/errors.ts';
import { Attempt, type Forwarded, type Forwarding, renewEveryMs } from './attempt.ts';
import type { Backend, BackendGroup } from './backends.ts';
import type { ProgressWatch } from './progress.ts';

/** RFC 9110 section 9.2.2 and RFC 4918: repeating these changes nothing more. */
const idempotent = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'PUT',
  'DELETE',
  'PROPFIND',
  'PROPPATCH',
  'REPORT',
  'SEARCH',
  'COPY',
  'MOVE',
  'UNLOCK',
]);

/**
 * Streams the request to a backend and its response to the client, with backpressure both ways. Where the method is
 * idempotent, tries another backend if nothing was sent to the first, and the same one again, once, if it closed
 * a connection that it had kept, instead of answering.
 * @throws {Fault} where no response head could be passed on; afterwards the client's connection is
 * cut instead, so that a truncated response never looks whole. What `Standing.renew` rejects with is thrown as it is.
 */
export async function forward(forwarding: Forwarding, watch: ProgressWatch): Promise<Forwarded> {
  const { standing } = forwarding;
  const tried = new Set<Backend>();
  let backend = nextBackend(forwarding.group, tried);
  let repeated = false;
  for (;;) {
    const attempt = new Attempt(forwarding, backend, watch);
    try {
      const forwarded = await attempt.run();
      forwarding.group.answered(backend);
      return forwarded;
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      const mayRepeat = idempotent.has(forwarding.method);
      if (attempt.sent) {
        if (repeated || !mayRepeat || !attempt.metClosedConnection(error)) throw error;
        repeated = true;
      } else {
        if (isBackendFault(error.code)) forwarding.group.failed(backend);
        if (tried.size === forwarding.group.size || !mayRepeat) throw error;
        backend = nextBackend(forwarding.group, tried);
      }
      if (performance.now() - standing.decidedMs > renewEveryMs) await standing.renew();
    }
  }
}

function nextBackend(group: BackendGroup, tried: Set<Backend>): Backend {
  const backend = group.pick(tried) as Backend;
  tried.add(backend);
  return backend;
}
