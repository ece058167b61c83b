import { fork } from 'node:child_process';
import { once } from 'node:events';
import { within } from './eventually.ts';
import { type Fared, patienceMs, type SteadyClients } from './steady-clients.ts';

/** Steady clients in a process of their own. */
export interface SteadyClientsProcess {
  /** See `steadyClients`; once at a time. */
  ask(clients: SteadyClients): Promise<Fared>;
  stop(): Promise<void>;
}

/** Starts a process for them, in which nothing else keeps them from asking. Ends with this process at the latest. */
export function startSteadyClients(): SteadyClientsProcess {
  const child = fork(new URL('steady-clients-main.ts', import.meta.url));
  return {
    async ask(clients) {
      const fared = once(child, 'message');
      child.send(clients);
      const withinMs = clients.forMs + patienceMs * 2;
      return (await within('the good clients', withinMs, fared))[0] as Fared;
    },
    async stop() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
