import { field } from './http-message.ts';
import { head, openRaw, type RawConnection } from './raw-client.ts';

/** Clients that ask without a pause, for as long as something is done to the server. */
export interface RollWatch {
  /** Answers so far. */
  answered(): number;
  /** Ends them; what went wrong for any of them: nothing may. */
  stop(): Promise<readonly string[]>;
}

/** Starts some that open a connection for each request, and as many that keep theirs until they are told it was the last. */
export function watchRoll(port: number, clients: number): RollWatch {
  const troubles: string[] = [];
  const ending = new AbortController();
  let answered = 0;

  async function ask(connection: RawConnection): Promise<boolean> {
    const response = connection.nextResponse(60_000);
    await connection.send(head('GET', '/'), 'GET');
    const isLast = field(await response, 'connection')?.toLowerCase() === 'close';
    answered++;
    return isLast;
  }

  async function client(isKept: boolean): Promise<void> {
    let kept: RawConnection | null = null;
    while (!ending.signal.aborted) {
      try {
        const connection: RawConnection = kept ?? (await openRaw(port));
        const isLast = await ask(connection);
        kept = isKept && !isLast ? connection : null;
        if (kept === null) connection.destroy();
      } catch (error) {
        troubles.push(`${kept === null ? 'a new' : 'a kept'} connection: ${String(error)}`);
        kept = null;
      }
    }
    kept?.destroy();
  }
  const all = Array.from({ length: clients * 2 }, (_, at) => client(at % 2 === 0));
  return {
    answered: () => answered,
    async stop() {
      ending.abort();
      await Promise.all(all);
      return troubles;
    },
  };
}
