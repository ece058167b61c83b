import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** Clients that ask at a fixed rate, however they are answered. */
export interface SteadyClients {
  readonly port: number;
  /** The whole request; its answer has a Content-Length. */
  readonly request: string;
  readonly perSecond: number;
  readonly forMs: number;
}

/** How they fared. */
export interface Fared {
  readonly asked: number;
  /** Answers by status; 0 where there was none. */
  readonly answers: Readonly<Record<number, number>>;
  /** Answered 200 before `forMs` were over. */
  readonly inTime: number;
  /** Milliseconds from the request to the end of its answer. */
  readonly medianMs: number;
  /** All but one of a hundred took less. */
  readonly p99Ms: number;
  readonly worstMs: number;
}

/** No answer within this long, milliseconds, is none. */
export const patienceMs = 20_000;
const keptConnections = 8;

/**
 * Asks `perSecond` times a second for `forMs`, each second time over a new connection, otherwise over one of a few
 * that are kept. Resolves when every request is answered or given up.
 */
export async function steadyClients(clients: SteadyClients): Promise<Fared> {
  const { perSecond, forMs } = clients;
  const answers: Record<number, number> = {};
  const tookMs: number[] = [];
  const idle: Socket[] = [];
  const pending: Promise<void>[] = [];
  let inTime = 0;
  const begunMs = performance.now();
  const ask = async (isNew: boolean): Promise<void> => {
    const askedMs = performance.now();
    // In turn, so that none is idle for long.
    const kept = isNew ? undefined : idle.shift();
    const socket = kept ?? (await opened(clients.port));
    const status = socket === null ? 0 : await answerOn(socket, clients.request);
    const endedMs = performance.now();
    tookMs.push(endedMs - askedMs);
    if (status === 200 && endedMs - begunMs <= forMs) inTime++;
    answers[status] = (answers[status] ?? 0) + 1;
    if (status === 200 && !isNew && idle.length < keptConnections && socket !== null) idle.push(socket);
    else socket?.destroy();
  };
  const all = Math.floor((perSecond * forMs) / 1_000);
  for (let at = 0; at < all; at++) {
    await pause(Math.max(0, begunMs + (at * 1_000) / perSecond - performance.now()));
    pending.push(ask(at % 2 === 0));
  }
  await Promise.all(pending);
  for (const socket of idle) socket.destroy();
  tookMs.sort((a, b) => a - b);
  return {
    asked: all,
    answers,
    inTime,
    medianMs: Math.round(tookMs[all >> 1] ?? 0),
    p99Ms: Math.round(tookMs[Math.floor(all * 0.99)] ?? 0),
    worstMs: Math.round(tookMs.at(-1) ?? 0),
  };
}

async function opened(port: number): Promise<Socket | null> {
  const socket = connect({ port, host: '127.0.0.1' });
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(socket));
    socket.on('error', () => resolve(null));
  });
}

/** The status of the answer once all of it has come; 0 where none came. */
function answerOn(socket: Socket, request: string): Promise<number> {
  return new Promise((resolve) => {
    let text = '';
    const finish = (status: number): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onEnd).off('end', onEnd);
      resolve(status);
    };
    const onEnd = (): void => finish(0);
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const headEnd = text.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1]);
      if (text.length >= headEnd + 4 + length) finish(Number(text.slice(9, 12)));
    };
    const timer = setTimeout(onEnd, patienceMs);
    socket.on('data', onData).once('close', onEnd).once('end', onEnd);
    socket.write(request, 'latin1');
  });
}
