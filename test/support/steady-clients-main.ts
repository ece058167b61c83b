/** Carries out each `SteadyClients` that it is sent, and says how they fared. */
import { type SteadyClients, steadyClients } from './steady-clients.ts';

process.on('message', (clients: SteadyClients) => {
  void steadyClients(clients).then((fared) => process.send?.(fared));
});
process.on('disconnect', () => process.exit(0));
