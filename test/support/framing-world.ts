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
  // Hundreds of cases arrive at a time, all with one token and from one address, and byte by byte they take a while.
  const limits = { requestsPerToken: 4_096, connectionsPerClient: 4_096, head: '1h' };
  const gateway = await startGateway({ backend: backend.url, config: { limits } }).catch(
    async (error: unknown) => {
      // An open server would keep the test process from ending.
      await backend.close();
      throw error;
    },
  );
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
