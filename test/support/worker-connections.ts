import type { Gateway } from './gateway.ts';
import { head, openRaw, type RawConnection } from './raw-client.ts';

/** Connections that may be opened until each worker has had one: with two of them, all but one time in 2^60. */
const attemptsMax = 60;

/** A connection to one worker, and what all its answers have in common. */
export interface WorkerConnection {
  readonly worker: string;
  readonly connection: RawConnection;
}

/** Opens connections until there is one to each of `count` workers, and closes the rest. */
export async function connectToEach(
  gateway: Pick<Gateway, 'port'>,
  count: number,
): Promise<readonly WorkerConnection[]> {
  const found = new Map<string, RawConnection>();
  for (let attempt = 0; attempt < attemptsMax && found.size < count; attempt++) {
    const connection = await openRaw(gateway.port);
    const worker = await workerAt(connection);
    if (found.has(worker)) connection.destroy();
    else found.set(worker, connection);
  }
  if (found.size < count) throw new Error(`only ${found.size} of ${count} workers answer`);
  return [...found].map(([worker, connection]) => ({ worker, connection }));
}

/** Request ids begin with what their process has drawn at its start; a refusal without a credential tells one. */
export async function workerAt(connection: RawConnection): Promise<string> {
  const answered = connection.nextResponse();
  await connection.send(head('GET', '/'), 'GET');
  const { body } = await answered;
  const id = /"requestId":"([^"-]+)-/.exec(body.toString('utf8'))?.[1];
  if (id === undefined) throw new Error(`no request id in: ${body.toString('utf8')}`);
  return id;
}
