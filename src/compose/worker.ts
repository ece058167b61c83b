import { judge } from '../server/admin-listener.ts';
import type { SupervisorLink } from '../server/workers/supervisor-link.ts';
import { type Gateway, startGateway, type Surroundings } from './gateway.ts';

/** Starts the gateway as one of several, and answers what its supervisor asks. Rejects as `startGateway` does. */
export async function startWorker(
  link: SupervisorLink,
  surroundings: Omit<Surroundings, 'place'>,
): Promise<Gateway> {
  const { config, doesUpkeep, sockets } = await link.begin;
  const place = {
    processes: config.workers,
    doesUpkeep,
    sockets,
    failures: (windowMs: number) => link.failures(windowMs),
  };
  const gateway = await startGateway(config, { ...surroundings, place });
  const { port, doors, view } = gateway;
  link.ready(
    { port, doors, assertionKeys: view.jwks() },
    {
      ping: () => null,
      metrics: () => gateway.snapshot(),
      readiness: () => judge(view.readiness),
      firstAdminLink: () => gateway.firstAdminLink(),
      reload(next) {
        if (next === null) gateway.reloadFailed();
        else gateway.reload(next);
        return null;
      },
    },
  );
  return gateway;
}
