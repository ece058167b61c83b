import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { type Attack, type AttackReport, startAttack } from '../support/attack.ts';
import { eventually, within } from '../support/eventually.ts';
import { basic, type Gateway, startGateway } from '../support/gateway.ts';
import { cpuMs } from '../support/process-figures.ts';
import { head } from '../support/raw-client.ts';
import { type Fared, steadyClients } from '../support/steady-clients.ts';
import { startStreamingBackend, type StreamingBackend } from '../support/streaming-backend.ts';

const megabyte = 1024 ** 2;
const perSecond = 50;
const calmMs = 4_000;
const attackMs = 20_000;
const headMs = 10_000;
const idleMs = 10_000;
const keepAliveMs = 10_000;
/** Deadlines are looked at now and then, and this machine has other things to do. */
const lateMs = 20_000;
const residentMaxBytes = 900 * megabyte;

const limits = { head: headMs, idle: idleMs, keepAlive: keepAliveMs };
/** So wide that nothing but the deadlines stands in the way of a crowd. */
const wide = { ...limits, requestsPerToken: 5_000, backendConnections: 5_000 };

let backend: StreamingBackend;
before(async () => {
  backend = await startStreamingBackend();
});
after(() => backend?.close());

/** A gateway with these limits, and what good clients and crowds ask of it. */
interface Besieged {
  readonly gateway: Gateway;
  readonly good: string;
  /** The crowds' Authorization field. */
  readonly authorization: string;
}

async function besiege(t: TestContext, chosen: Readonly<Record<string, unknown>>): Promise<Besieged> {
  const gateway = await startGateway({
    backend: backend.url,
    config: { limits: chosen, log: { access: false } },
  });
  t.after(() => gateway.stop());
  await gateway.user('alice');
  await gateway.user('mallory');
  const good = head('GET', '/1024', [`Authorization: ${basic('alice', await gateway.token())}`]);
  const token = await gateway.token({ user: 'mallory' });
  return { gateway, good, authorization: `Authorization: ${basic('mallory', token)}` };
}

/** Good clients before, beside and after a crowd: all of them answered, memory bounded, nothing left of the crowd. */
async function withstand(
  t: TestContext,
  { gateway, good }: Besieged,
  attack: Omit<Attack, 'port'>,
): Promise<AttackReport> {
  const { port, pid } = gateway;
  const ask = async (forMs: number): Promise<Fared & { readonly cpuShare: number }> => {
    const [cpuBefore, begunMs] = [await cpuMs(pid), performance.now()];
    const fared = await steadyClients({ port, request: good, perSecond, forMs });
    return { ...fared, cpuShare: ((await cpuMs(pid)) - cpuBefore) / (performance.now() - begunMs) };
  };
  const before = await ask(calmMs);
  const crowd = await startAttack({ port, ...attack });
  const peak = { residentBytes: 0, connections: 0 };
  const lookOnce = async (): Promise<void> => {
    peak.residentBytes = Math.max(peak.residentBytes, await gateway.residentBytes());
    peak.connections = Math.max(peak.connections, await gateway.metric('latchkey_client_connections'));
  };
  const look = setInterval(() => void lookOnce(), 1_000);
  let beside;
  try {
    beside = await ask(attackMs);
  } finally {
    clearInterval(look);
  }
  const report = await crowd.stop();
  const after = await ask(calmMs);
  const tell = (name: string, { answers, medianMs, worstMs, cpuShare }: typeof before): void =>
    t.diagnostic(
      `${name}: ${JSON.stringify(answers)}, median ${medianMs} ms, worst ${worstMs} ms, ${(cpuShare * 100).toFixed(0)} % of a core`,
    );
  tell('before', before);
  tell('beside', beside);
  tell('after', after);
  t.diagnostic(`crowd: ${JSON.stringify(report)}`);
  t.diagnostic(`gateway: ${peak.connections} connections, ${Math.round(peak.residentBytes / megabyte)} MiB`);
  for (const { answers, asked } of [before, beside, after]) assert.deepEqual(answers, { 200: asked });
  assert.ok(peak.residentBytes < residentMaxBytes, `${peak.residentBytes} bytes`);
  const left = (): Promise<number> => gateway.metric('latchkey_client_connections');
  await eventually('all connections to be closed', async () => (await left()) === 0, { withinMs: 30_000 });
  assert.equal(await gateway.metric('latchkey_http_requests_in_flight'), 0);
  return report;
}

const unfinished = 'GET /1024 HTTP/1.1\r\nHost: gw.example\r\nX-A: ';

describe('good clients are all answered beside', () => {
  test('10,000 connections whose heads trickle, a byte in 5 s', async (t) => {
    const drip = { text: 'a', everyMs: 5_000 };
    const attack = { connections: 10_000, hello: unfinished, drip };
    const { answers, longestMs } = await withstand(t, await besiege(t, limits), attack);
    // A byte that comes behind the answer can make the system throw it away.
    assert.deepEqual(
      Object.keys(answers).filter((code) => code !== '0'),
      ['408'],
    );
    assert.ok(longestMs < headMs + lateMs, `${longestMs} ms`);
  });

  test('10,000 connections that idle when they were answered', async (t) => {
    const besieged = await besiege(t, limits);
    const hello = head('GET', '/1024', [besieged.authorization]);
    const { longestMs } = await withstand(t, besieged, { connections: 10_000, hello });
    assert.ok(longestMs < keepAliveMs + lateMs, `${longestMs} ms`);
  });

  test('2,000 uploads that trickle, a byte a second', async (t) => {
    const besieged = await besiege(t, wide);
    const hello = head('PUT', '/count', [besieged.authorization, 'Content-Length: 10000000']);
    const drip = { text: 'a', everyMs: 1_000 };
    const { answers, longestMs } = await withstand(t, besieged, { connections: 2_000, hello, drip });
    assert.deepEqual(Object.keys(answers), ['408']);
    assert.ok(longestMs < idleMs * 1.25 + lateMs, `${longestMs} ms`);
  });

  test('2,000 uploads in chunks of one byte', async (t) => {
    const besieged = await besiege(t, wide);
    const hello = head('PUT', '/count', [besieged.authorization, 'Transfer-Encoding: chunked']);
    const drip = { text: '1\r\na\r\n', everyMs: 1_000 };
    const { longestMs } = await withstand(t, besieged, { connections: 2_000, hello, drip });
    assert.ok(longestMs < idleMs * 2.5 + lateMs, `${longestMs} ms`);
  });

  test('2,000 downloads read a byte a second', async (t) => {
    const besieged = await besiege(t, wide);
    const hello = head('GET', `/${64 * megabyte}`, [besieged.authorization]);
    await withstand(t, besieged, { connections: 2_000, hello, read: { bytes: 1, everyMs: 1_000 } });
  });

  test('2,000 downloads with one token, of which it may have 64 under way', async (t) => {
    const besieged = await besiege(t, limits);
    const hello = head('GET', `/${64 * megabyte}`, [besieged.authorization]);
    await withstand(t, besieged, { connections: 2_000, hello, read: 'never' });
  });

  test('a flood of connections that are reset at once', async (t) => {
    const flood = { connections: 500, perSecond: 2_000, hello: '', leave: 'at once' } as const;
    const { opened } = await withstand(t, await besiege(t, limits), flood);
    assert.ok(opened > 10_000, `${opened} connections`);
  });

  test('a flood of connections that are answered 401', async (t) => {
    const hello = head('GET', '/1024');
    const flood = { connections: 500, perSecond: 1_000, hello, leave: 'answered' } as const;
    const { opened } = await withstand(t, await besiege(t, limits), flood);
    assert.ok(opened > 5_000, `${opened} connections`);
  });

  test('a flood from one address beyond the connections it may have', async (t) => {
    const flood = { connections: 3_000, addresses: 1, perSecond: 2_000, hello: '' };
    const besieged = await besiege(t, limits);
    await withstand(t, besieged, flood);
    assert.ok((await besieged.gateway.metric('latchkey_client_connections_refused_total')) > 1_000);
  });
});

test('1 GiB from somebody unknown is cut off before 16 MiB of it are taken', async (t) => {
  const { gateway } = await besiege(t, limits);
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
