import { connect, type Socket } from 'node:net';
import type { Child } from '../../test/support/child-process.ts';
import { makeScratch, type Scratch } from '../../test/support/scratch.ts';
import { startGateway, writeConfig } from '../gateway.ts';
import { applyLoad } from '../load.ts';
import { clientHeaders, startBackend } from '../peers.ts';
import { loadCore, measuredCore } from '../pinned.ts';
import { readConfig, scopedPath, seedTokens } from '../seed.ts';
import { atLeast, plain, type Row } from '../table.ts';

const ratioMin = 1.8;
const seconds = 4;
const connections = 16;
/** Read whole to decide, and refused at its last line: the backend has no part in it. */
const reportBytes = 512 * 1024;

/** Where a gateway is asked, and with what. */
interface Entry {
  readonly port: number;
  readonly child: Child;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answers in a round. */
type Measure = (entry: Entry) => Promise<number>;

/** Two workers on two cores against one process that may use either, in answers, in turn. */
export async function workers(rounds: number): Promise<readonly Row[]> {
  const scratch = await makeScratch('bench-workers');
  const backend = await startBackend();
  const entries: Entry[] = [];
  try {
    for (const count of [1, 2]) entries.push(await start(scratch, backend.port, count));
    const [one, two] = entries as [Entry, Entry];
    const reports = await compare(rounds, one, two, sendReports);
    const gets = await compare(rounds, one, two, sendGets);
    const size = `REPORT of ${reportBytes / 1024} KiB`;
    return [
      plain(`${size}, one process, answers per second`, reports.one, ''),
      plain(`${size}, two workers, answers per second`, reports.two, ''),
      atLeast(`${size}: two workers / one process`, reports.two / reports.one, ratioMin, ''),
      plain(
        '1 KiB GET: two workers / one process, where load and backend want the same two cores',
        gets.two / gets.one,
        '',
      ),
    ];
  } finally {
    for (const { child } of entries) await child.stop();
    await backend.child.stop();
    await scratch.remove();
  }
}

async function start(scratch: Scratch, backendPort: number, count: number): Promise<Entry> {
  const files = await writeConfig(
    scratch,
    `workers-${count}`,
    backendPort,
    { workers: count, log: { access: false } },
    { kind: 'caldav' },
  );
  const [token = ''] = await seedTokens(readConfig(files.configFile), 1, 1);
  const child = await startGateway(scratch, files, `${measuredCore},${loadCore}`);
  return { port: files.port, child, headers: clientHeaders(token) };
}

/** Medians of the rounds, in answers per second; the first round warms up and does not count. */
async function compare(
  rounds: number,
  one: Entry,
  two: Entry,
  measure: Measure,
): Promise<{ readonly one: number; readonly two: number }> {
  const rates: { one: number; two: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    rates.push({ one: (await measure(one)) / seconds, two: (await measure(two)) / seconds });
  }
  const counted = rates.slice(1);
  return { one: median(counted.map((rate) => rate.one)), two: median(counted.map((rate) => rate.two)) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

function sendGets({ port, headers }: Entry): Promise<number> {
  const url = `http://127.0.0.1:${port}${scopedPath}`;
  return applyLoad({ url, method: 'GET', headers, connections: 64, until: { seconds } });
}

/** The client only hands over bytes made before, so that nearly all of both cores is the gateway's. */
async function sendReports({ port, headers }: Entry): Promise<number> {
  const request = reportRequest(headers);
  const until = performance.now() + seconds * 1_000;
  const sockets = Array.from({ length: connections }, () => connect(port, '127.0.0.1'));
  try {
    const counts = await Promise.all(sockets.map((socket) => askUntil(socket, request, until)));
    return counts.reduce((sum, count) => sum + count, 0);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

function askUntil(socket: Socket, request: Buffer, until: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let answers = 0;
    socket.on('error', reject).on('close', () => reject(new Error('the gateway closed a connection')));
    socket.on('data', (bytes: Buffer) => {
      if (!bytes.toString('latin1').startsWith('HTTP/1.1 403')) reject(new Error(bytes.toString('latin1')));
      if (performance.now() >= until) resolve(answers);
      else {
        answers++;
        socket.write(request);
      }
    });
    socket.write(request);
  });
}

/** As many files of the token's folder as fit, and behind them one of somebody else's. */
function reportRequest(headers: Readonly<Record<string, string>>): Buffer {
  const open =
    '<c:calendar-multiget xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop><d:getetag/></d:prop>';
  const close = '<d:href>/dav/files/bob/secret.ics</d:href></c:calendar-multiget>';
  const href = `<d:href>${scopedPath}</d:href>`;
  const body =
    open + href.repeat(Math.floor((reportBytes - open.length - close.length) / href.length)) + close;
  const fields = Object.entries({
    ...headers,
    'Content-Length': body.length,
    'Content-Type': 'application/xml',
  });
  const lines = fields.map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(
    `REPORT /dav/files/alice/Photos/ HTTP/1.1\r\nHost: gw.example\r\n${lines.join('\r\n')}\r\n\r\n${body}`,
  );
}
