import { type Apache, startApache } from './apache.ts';
import { endAll } from './end-all.ts';
import { type Gateway, startGateway } from './gateway.ts';

/** A WebDAV server that believes X-Remote-User alone, and the gateway that sets it. */
export interface GuardedApache {
  readonly apache: Apache;
  readonly gateway: Gateway;
  stop(): Promise<void>;
}

/** Starts both; the gateway knows the user alice. What was started is ended where the rest cannot be. */
export async function startGuardedApache(): Promise<GuardedApache> {
  const apache = await startApache({ requireRemoteUser: true });
  let gateway: Gateway | null = null;
  const stop = (): Promise<void> =>
    endAll(
      () => gateway?.stop(),
      () => apache.stop(),
    );
  try {
    gateway = await startGateway({ backend: apache.url, route: { host: 'backend' } });
    await gateway.user('alice');
    return { apache, gateway, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
