import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { makeScratch } from '../../test/support/scratch.ts';
import { startGateway, writeConfig } from '../gateway.ts';
import { runMeasured } from '../measured-program.ts';
import { clientHeaders, startBackend } from '../peers.ts';
import { residentBytes } from '../pinned.ts';
import { readConfig, scopedPath, seedTokens, writeTokens } from '../seed.ts';
import { idleConnections, l1Entries } from '../sizes.ts';
import { atMost, plain, type Row, skipped } from '../table.ts';

const l1MegabytesMax = 64;
const megabyte = 1e6;
/** Connections opened at the same time. */
const openedAtOnce = 100;

/** What cached tokens and idle connections weigh. */
export async function memory(): Promise<readonly Row[]> {
  return [...(await l1Memory()), ...(await idleMemory())];
}

async function l1Memory(): Promise<readonly Row[]> {
  const scratch = await makeScratch('bench-l1');
  try {
    const { configFile } = await writeConfig(scratch, 'l1', 9);
    const tokensFile = scratch.file('tokens');
    writeTokens(tokensFile, await seedTokens(readConfig(configFile), l1Entries, l1Entries));
    const weight = await runMeasured<{ heapBytes: number; residentBytes: number }>('l1-memory', [
      configFile,
      tokensFile,
    ]);
    const title = `${l1Entries.toLocaleString('en')} tokens in memory`;
    return [
      atMost(`${title}: heap and buffers`, weight.heapBytes / megabyte, l1MegabytesMax, ' MB'),
      plain(`${title}: growth of the resident set`, weight.residentBytes / megabyte, ' MB'),
    ];
  } finally {
    await scratch.remove();
  }
}

/** Each connection has had one request answered and is kept alive. */
async function idleMemory(): Promise<readonly Row[]> {
  const title = `${idleConnections.toLocaleString('en')} idle connections`;
  const scratch = await makeScratch('bench-idle');
  const backend = await startBackend();
  const sockets: Socket[] = [];
  try {
    const files = await writeConfig(scratch, 'idle', backend.port, {
      // All of them come from one address.
      limits: { connectionsPerClient: 16_384 },
    });
    const [token = ''] = await seedTokens(readConfig(files.configFile), 1, 1);
    const gateway = await startGateway(scratch, files);
    try {
      const request = requestText(files.port, token);
      await open(sockets, openedAtOnce, files.port, request);
      const before = residentBytes(gateway.pid);
      while (sockets.length < idleConnections) await open(sockets, openedAtOnce, files.port, request);
      const grown = residentBytes(gateway.pid) - before;
      return [
        plain(`${title}: growth of the resident set`, grown / megabyte, ' MB'),
        plain(`${title}: each`, grown / 1_000 / (idleConnections - openedAtOnce), ' kB'),
      ];
    } finally {
      for (const socket of sockets) socket.destroy();
      await gateway.stop();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EMFILE') throw error;
    return [skipped(title, 'the limit of open files (ulimit -n) is too low')];
  } finally {
    await backend.child.stop();
    await scratch.remove();
  }
}

async function open(sockets: Socket[], count: number, port: number, request: string): Promise<void> {
  const opened = Array.from({ length: count }, async () => {
    const socket = connect(port, '127.0.0.1');
    sockets.push(socket);
    await once(socket, 'connect');
    socket.write(request);
    await once(socket, 'data');
  });
  await Promise.all(opened);
}

function requestText(port: number, token: string): string {
  const headers = Object.entries({ Host: `127.0.0.1:${port}`, ...clientHeaders(token) });
  return `GET ${scopedPath} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
}
