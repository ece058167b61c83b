import { connect, type Socket } from 'node:net';
import type { Child } from '../../test/support/child-process.ts';
import { makeScratch, type Scratch } from '../../test/support/scratch.ts';
import { childrenOf } from '../../test/support/worker-pids.ts';
import { startGateway, writeConfig } from '../gateway.ts';
import { applyLoad } from '../load.ts';
import { clientHeaders, startBackend } from '../peers.ts';
import { cpuUs, loadCore, measuredCore } from '../pinned.ts';
import { readConfig, scopedPath, seedTokens } from '../seed.ts';
import { atLeast, plain, type Row } from '../table.ts';

const ratioMin = 1.8;
const seconds = 4;
const connections = 16;
/** Read whole to decide, and refused at its last line: the backend has no part in it. */
const reportBytes = 64 * 1024;

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
    const what = `REPORT of ${reportBytes / 1024} KiB`;
    return [
      ...costs(what, reports),
      atLeast(`${what}: two workers / one process, answers`, ratioOf(reports), ratioMin, ''),
      ...costs('1 KiB GET, load and backend on the same two cores', gets),
      plain('1 KiB GET: two workers / one process, answers', ratioOf(gets), ''),
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

/** What a round came to. */
interface Round {
  readonly perSecond: number;
  /** CPU time of all its processes, per answer. */
  readonly cpuUs: number;
}

/** Medians of the rounds; the first warms up and does not count. */
async function compare(rounds: number, one: Entry, two: Entry, measure: Measure): Promise<Contest> {
  const each: { readonly one: Round; readonly two: Round }[] = [];
  for (let round = 0; round <= rounds; round++) {
    each.push({ one: await play(one, measure), two: await play(two, measure) });
  }
  const counted = each.slice(1);
  return {
    one: medianOf(counted.map((round) => round.one)),
    two: medianOf(counted.map((round) => round.two)),
  };
}

interface Contest {
  readonly one: Round;
  readonly two: Round;
}

async function play(entry: Entry, measure: Measure): Promise<Round> {
  const pids = [entry.child.pid, ...childrenOf(entry.child.pid)];
  const [cpuBefore, began] = [cpuUs(pids), performance.now()];
  const answers = await measure(entry);
  return {
    perSecond: (answers * 1_000) / (performance.now() - began),
    cpuUs: (cpuUs(pids) - cpuBefore) / answers,
  };
}

function medianOf(rounds: readonly Round[]): Round {
  const median = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  return {
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    cpuUs: median(rounds.map((round) => round.cpuUs)),
  };
}

function ratioOf({ one, two }: Contest): number {
  return two.perSecond / one.perSecond;
}

function costs(what: string, { one, two }: Contest): readonly Row[] {
  const row = (who: string, { perSecond, cpuUs: us }: Round): Row => ({
    ...plain(`${what}, ${who}`, perSecond, ''),
    figure: `${perSecond.toFixed(0)} a second, ${us.toFixed(0)} µs of CPU each`,
  });
  return [row('one process', one), row('two workers', two)];
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
