import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { type Attack, type AttackReport, startAttack } from '../support/attack.ts';
import { endAll } from '../support/end-all.ts';
import { eventually, within } from '../support/eventually.ts';
import { basic, type Gateway, startGateway } from '../support/gateway.ts';
import { cpuMs, waitedMs } from '../support/process-figures.ts';
import { head } from '../support/raw-client.ts';
import type { Fared } from '../support/steady-clients.ts';
import { startSteadyClients, type SteadyClientsProcess } from '../support/steady-clients-process.ts';
import {
  startStreamingBackendProcess,
  type StreamingBackendProcess,
} from '../support/streaming-backend-process.ts';
import { gatewayPeppers, openTokenOffice } from '../support/token-office.ts';

const megabyte = 1024 ** 2;
const perSecond = 50;
const headMs = 20_000;
const idleMs = 10_000;
/** Readers take a while until they all stand: none is to be cut before. */
const readersIdleMs = 20_000;
const keepAliveMs = 10_000;
/** More than the systems at both ends take in by themselves; 512 KiB are not. 2,000 of them pass a tcp_mem of 2.2 GiB. */
const downloadBytes = 64 * megabyte;
/** Good clients ask so long without a crowd, and so long beside it: most crowds are cut once in that time. */
const askMs = 16_000;
/** Deadlines are looked at now and then, and this machine has other things to do. */
const lateMs = 20_000;
const residentMaxBytes = 900 * megabyte;
const throughputMin = 0.9;

/** Shorter than by default, so that crowds are cut while they are looked at; all else is the default. */
const limits = { head: headMs, idle: idleMs, keepAlive: keepAliveMs };
/** So many, by default, that 2,000 requests at a time pass the bound of each. */
const crowdTokens = 50;

let backend: StreamingBackendProcess;
let clients: SteadyClientsProcess;
before(async () => {
  backend = await startStreamingBackendProcess();
  clients = startSteadyClients();
});
after(() =>
  endAll(
    () => clients?.stop(),
    () => backend?.close(),
  ),
);

/** A gateway, and what good clients and crowds ask of it. */
interface Besieged {
  readonly gateway: Gateway;
  readonly good: string;
  /** The crowds' Authorization fields. */
  readonly authorizations: readonly string[];
}

async function besiege(t: TestContext, chosen: Readonly<Record<string, number>> = {}): Promise<Besieged> {
  const { config, env } = gatewayPeppers;
  const gateway = await startGateway({
    backend: backend.url,
    config: { ...config, limits: { ...limits, ...chosen }, log: { access: false } },
    env,
  });
  t.after(() => gateway.stop());
  const office = await openTokenOffice(`${gateway.dataDir}/latchkey.db`, null);
  t.after(() => office.close());
  const field = async (user: string): Promise<string> =>
    `Authorization: ${basic(user, (await office.mint(user)).secret)}`;
  const authorizations: string[] = [];
  while (authorizations.length < crowdTokens) authorizations.push(await field('mallory'));
  return { gateway, good: head('GET', '/1024', [await field('alice')]), authorizations };
}

interface Siege extends Omit<Attack, 'port'> {
  /** Connections of the crowd that have to stand before the good clients are looked at. Default: all. */
  readonly standing?: number;
  /** How long the good clients ask. Default `askMs`. */
  readonly forMs?: number;
}

/**
 * Good clients without, beside and after a crowd: all of them answered, as many in the same time, memory bounded, and
 * nothing left of the crowd.
 */
async function withstand(
  t: TestContext,
  { gateway, good }: Besieged,
  { standing, forMs = askMs, ...attack }: Siege,
): Promise<AttackReport> {
  const { port, pid } = gateway;
  const open = (): Promise<number> => gateway.metric('latchkey_client_connections');
  const ask = async (name: string, duringMs: number): Promise<Fared> => {
    const [begunMs, ran, waited] = [performance.now(), await cpuMs(pid), await waitedMs(pid)];
    const fared = await clients.ask({ port, request: good, perSecond, forMs: duringMs });
    const tookMs = performance.now() - begunMs;
    const share = (ms: number): string => `${((ms / tookMs) * 100).toFixed(0)} %`;
    const { asked, answers, inTime, medianMs, p99Ms, worstMs } = fared;
    t.diagnostic(
      `${name}: ${inTime} of ${asked} in time, ${JSON.stringify(answers)}, median ${medianMs} ms, p99 ${p99Ms} ms, worst ${worstMs} ms; gateway ran ${share((await cpuMs(pid)) - ran)}, waited for a core ${share((await waitedMs(pid)) - waited)}`,
    );
    return fared;
  };
  const before = await ask('without', forMs);
  const calmBytes = await gateway.residentBytes();
  const crowd = await startAttack({ port, ...attack });
  const whole = standing ?? attack.connections;
  await eventually(`${whole} connections to stand`, async () => (await open()) >= whole, {
    withinMs: 60_000,
    everyMs: 250,
  });
  const peak = { residentBytes: 0, connections: 0 };
  const lookOnce = async (): Promise<void> => {
    peak.residentBytes = Math.max(peak.residentBytes, await gateway.residentBytes());
    peak.connections = Math.max(peak.connections, await open());
  };
  await lookOnce();
  const look = setInterval(() => void lookOnce(), 1_000);
  const beside = await ask('beside', forMs).finally(() => clearInterval(look));
  const report = await crowd.stop();
  const after = await ask('after', 2_000);
  t.diagnostic(`crowd: ${JSON.stringify(report)}`);
  t.diagnostic(
    `gateway: ${peak.connections} connections, ${inMegabytes(calmBytes)} MiB without, at most ${inMegabytes(peak.residentBytes)} MiB beside`,
  );
  for (const { answers, asked } of [before, beside, after]) assert.deepEqual(answers, { 200: asked });
  assert.ok(beside.inTime >= throughputMin * before.inTime, `${beside.inTime} of ${before.inTime}`);
  assert.ok(peak.residentBytes < residentMaxBytes, `${peak.residentBytes} bytes`);
  await eventually('all connections to be closed', async () => (await open()) === 0, { withinMs: 30_000 });
  assert.equal(await gateway.metric('latchkey_http_requests_in_flight'), 0);
  return report;
}

function inMegabytes(bytes: number): number {
  return Math.round(bytes / megabyte);
}

const unfinished = 'GET /1024 HTTP/1.1\r\nHost: gw.example\r\nX-A: ';

/** The same with each of the crowd's tokens. */
function asking({ authorizations }: Besieged, method: string, target: string, ...fields: string[]): string[] {
  return authorizations.map((authorization) => head(method, target, [authorization, ...fields]));
}

describe('good clients are all answered beside', () => {
  test('10,000 connections whose heads trickle, a byte in 5 s', async (t) => {
    const drip = { text: 'a', everyMs: 5_000 };
    // Longer than a head may take: all of them are cut once.
    const attack = { connections: 10_000, hello: unfinished, drip, forMs: headMs + 2_000 };
    const { answers, longestMs } = await withstand(t, await besiege(t), attack);
    // A byte that comes behind the answer can make the system throw it away.
    assert.deepEqual(
      Object.keys(answers).filter((code) => code !== '0'),
      ['408'],
    );
    assert.ok(longestMs < headMs + lateMs, `${longestMs} ms`);
  });

  test('10,000 connections that idle when they were answered', async (t) => {
    const besieged = await besiege(t);
    const hello = asking(besieged, 'GET', '/1024');
    const { longestMs } = await withstand(t, besieged, { connections: 10_000, hello });
    assert.ok(longestMs < keepAliveMs + lateMs, `${longestMs} ms`);
  });

  test('2,000 uploads that trickle, a byte a second', async (t) => {
    const besieged = await besiege(t);
    const hello = asking(besieged, 'PUT', '/count', 'Content-Length: 10000000');
    const drip = { text: 'a', everyMs: 1_000 };
    const { answers, longestMs } = await withstand(t, besieged, { connections: 2_000, hello, drip });
    assert.deepEqual(Object.keys(answers), ['408']);
    assert.ok(longestMs < idleMs * 1.25 + lateMs, `${longestMs} ms`);
  });

  test('2,000 uploads in chunks of one byte', async (t) => {
    const besieged = await besiege(t);
    const hello = asking(besieged, 'PUT', '/count', 'Transfer-Encoding: chunked');
    // Beside all of them going on to the backend after 10 s, and being cut.
    const forMs = idleMs * 2.5;
    const drip = { text: '1\r\na\r\n', everyMs: 1_000 };
    const { longestMs } = await withstand(t, besieged, { connections: 2_000, hello, drip, forMs });
    assert.ok(longestMs < idleMs * 2.5 + lateMs, `${longestMs} ms`);
  });

  test('2,000 downloads read a byte a second', async (t) => {
    const besieged = await besiege(t, { idle: readersIdleMs });
    const hello = asking(besieged, 'GET', `/${downloadBytes}`);
    const read = { bytes: 1, everyMs: 1_000 };
    await withstand(t, besieged, { connections: 2_000, hello, read, forMs: readersIdleMs + 2_000 });
  });

  test('2,000 downloads with one token, of which it may have 64 under way', async (t) => {
    const besieged = await besiege(t);
    const hello = asking(besieged, 'GET', `/${downloadBytes}`)[0] ?? '';
    await withstand(t, besieged, { connections: 2_000, hello, read: 'never' });
  });

  test('a flood of connections that are reset at once', async (t) => {
    const flood = { connections: 500, perSecond: 2_000, hello: '', leave: 'at once', standing: 0 } as const;
    const { opened } = await withstand(t, await besiege(t), flood);
    assert.ok(opened > 10_000, `${opened} connections`);
  });

  test('a flood of connections that are answered 401', async (t) => {
    const hello = head('GET', '/1024');
    const flood = { connections: 500, perSecond: 1_000, hello, leave: 'answered', standing: 0 } as const;
    const { opened } = await withstand(t, await besiege(t), flood);
    assert.ok(opened > 5_000, `${opened} connections`);
  });

  test('a flood from one address beyond the connections it may have', async (t) => {
    const flood = { connections: 3_000, addresses: 1, perSecond: 2_000, hello: '', standing: 1_000 };
    const besieged = await besiege(t);
    await withstand(t, besieged, flood);
    assert.ok((await besieged.gateway.metric('latchkey_client_connections_refused_total')) > 1_000);
  });
});

test('1 GiB from somebody unknown is cut off before 16 MiB of it are taken', async (t) => {
  const { gateway } = await besiege(t);
  const socket = connect({ port: gateway.port, host: '127.0.0.1' }).on('error', () => undefined);
  let text = '';
  let sent = 0;
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  socket.write(head('PUT', '/count', [`Content-Length: ${1024 * megabyte}`]));
  const block = Buffer.alloc(65_536, 'a');
  const send = (): void => {
    if (socket.destroyed || sent >= 1024 * megabyte) return;
    sent += block.length;
    socket.write(block, send);
  };
  send();
  await within('the end of the connection', 20_000, closed);
  t.diagnostic(`${sent} bytes were taken`);
  assert.match(text, /^HTTP\/1\.1 401 /);
  assert.ok(sent < 16 * megabyte, `${sent} bytes`);
});
