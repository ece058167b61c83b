import { endAll } from './end-all.ts';
import { startGateway } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { startRecordingBackend } from './recording-backend.ts';
import type { RecordingBackend } from './recording-backend.ts';

/** What the framing cases speak to: a gateway, a backend that keeps every byte, and alice's token for her photos. */
export interface FramingWorld {
  readonly backend: RecordingBackend;
  readonly gateway: Gateway;
  readonly token: string;
  stop(): Promise<void>;
}

/** Starts both and mints the token. */
export async function startFramingWorld(): Promise<FramingWorld> {
  const backend = await startRecordingBackend();
<<<<<<< HEAD
  // Hundreds of cases arrive at a time, all with one token and from one address.
  const limits = { requestsPerToken: 4_096, connectionsPerClient: 4_096 };
  const gateway = await startGateway({ backend: backend.url, config: { limits } }).catch(
    async (error: unknown) => {
      // An open server would keep the test process from ending.
      await backend.close();
      throw error;
    },
  );
=======
  // Hundreds at a time come from one address here, with one token.
  const config = { limits: { connectionsPerClient: 4_096, requestsPerToken: 4_096 } };
  const gateway = await startGateway({ backend: backend.url, config }).catch(async (error: unknown) => {
    // An open server would keep the test process from ending.
    await backend.close();
    throw error;
  });
>>>>>>> 8f1f2c0 (639 more requests on the wire, and in whatever packets they come)
  await gateway.user('alice');
  const token = await gateway.token({ scopes: ['path:/dav/files/alice/Photos/:rw'] });
  return {
    backend,
    gateway,
    token,
    stop: () =>
      endAll(
        () => gateway.stop(),
        () => backend.close(),
      ),
  };
}
