import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { type ConnectionLimits, createConnectionLimits } from '../../../src/server/connection-limits.ts';
import { eventually } from '../../support/eventually.ts';

interface Door {
  readonly limits: ConnectionLimits;
  readonly bounds: { connections: number; connectionsPerClient: number };
  readonly told: string[];
  /** Connects from an address of this machine. */
  from(address: string): Promise<Socket>;
  /** Connects, and says what came back until that was all; `lingering` clients keep their side open. */
  answerTo(address: string, lingering?: boolean): Promise<string>;
}

async function startDoor(t: TestContext): Promise<Door> {
  const bounds = { connections: 100, connectionsPerClient: 100 };
  const told: string[] = [];
  const limits = createConnectionLimits({
    answers: true,
    bounds: () => bounds,
    isProxy: (address) => address === '127.9.9.9',
    refused: (bound, client) => void told.push(`${bound} ${client}`),
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (limits.admit(socket)) socket.resume();
  });
  server.listen(0, '::');
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const open = (address: string, allowHalfOpen = false): Socket => {
    const host = address.includes(':') ? '::1' : '127.0.0.1';
    const socket = connect({ port, host, localAddress: address, allowHalfOpen }).on('error', () => undefined);
    sockets.add(socket);
    return socket;
  };
  return {
    limits,
    bounds,
    told,
    async from(address) {
      const before = limits.open();
      const socket = open(address);
      await eventually('the connection is counted', () => limits.open() > before);
      return socket;
    },
    async answerTo(address, lingering) {
      let text = '';
      const socket = open(address, lingering).on('data', (chunk) => (text += chunk.toString('latin1')));
      await new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
      return text;
    },
  };
}

test('a client beyond its connections is told so in one answer, and the connection closes', async (t) => {
  const door = await startDoor(t);
  door.bounds.connectionsPerClient = 2;
  await door.from('127.0.0.2');
  await door.from('127.0.0.2');
  const answer = await door.answerTo('127.0.0.2');
  assert.match(answer, /^HTTP\/1\.1 429 [^]*\r\nRetry-After: 5\r\nConnection: close\r\n\r\n\{.*\}\n$/);
  assert.deepEqual(door.told, ['connectionsPerClient 127.0.0.2']);
  assert.deepEqual([door.limits.open(), door.limits.refused().connectionsPerClient], [2, 1]);
});

test('the others are not affected by it', async (t) => {
  const door = await startDoor(t);
  door.bounds.connectionsPerClient = 1;
  await door.from('127.0.0.2');
  await door.answerTo('127.0.0.2');
  await door.from('127.0.0.3');
  assert.equal(door.limits.open(), 2);
});

test('a connection that closes makes room for one of the same client', async (t) => {
  const door = await startDoor(t);
  door.bounds.connectionsPerClient = 1;
  const socket = await door.from('127.0.0.2');
  socket.destroy();
  await eventually('it is counted no longer', () => door.limits.open() === 0);
  await door.from('127.0.0.2');
  assert.deepEqual(door.told, []);
});

test('beyond the connections of all clients together everybody gets 503', async (t) => {
  const door = await startDoor(t);
  door.bounds.connections = 2;
  await door.from('127.0.0.2');
  await door.from('127.9.9.9');
  assert.match(await door.answerTo('127.0.0.3'), /^HTTP\/1\.1 503 [^]*\r\nRetry-After: /);
  assert.match(await door.answerTo('127.9.9.9'), /^HTTP\/1\.1 503 /);
  assert.equal(door.limits.refused().connections, 2);
});

test('a trusted proxy, which speaks for many clients, counts in the total only', async (t) => {
  const door = await startDoor(t);
  door.bounds.connectionsPerClient = 1;
  await door.from('127.9.9.9');
  await door.from('127.9.9.9');
  assert.equal(door.limits.open(), 2);
});

test('an address of IPv6 is counted with its /64', async (t) => {
  const door = await startDoor(t);
  door.bounds.connectionsPerClient = 1;
  try {
    await door.from('::1');
  } catch {
    t.skip('this machine has no IPv6');
    return;
  }
  await door.answerTo('::1');
  assert.deepEqual(door.told, ['connectionsPerClient 0:0:0:0::/64']);
});

test('new bounds hold from the next connection on, and close none', async (t) => {
  const door = await startDoor(t);
  await door.from('127.0.0.2');
  await door.from('127.0.0.2');
  door.bounds.connectionsPerClient = 1;
  assert.match(await door.answerTo('127.0.0.2'), / 429 /);
  assert.equal(door.limits.open(), 2);
});

test('in a flood few are answered and the rest is reset', async (t) => {
  const door = await startDoor(t);
  door.bounds.connectionsPerClient = 1;
  await door.from('127.0.0.2');
  const answers = await Promise.all(Array.from({ length: 300 }, () => door.answerTo('127.0.0.2', true)));
  const told = answers.filter((answer) => answer.startsWith('HTTP/1.1 429 ')).length;
  const silent = answers.filter((answer) => answer === '').length;
  assert.equal(told + silent, 300);
  assert.ok(told >= 1 && silent >= 1, `${told} told, ${silent} reset`);
  assert.deepEqual([door.limits.open(), door.limits.refused().connectionsPerClient], [1, 300]);
});

test('a request beside others on a connection counts like a connection, until it is over', async (t) => {
  const { limits, bounds, told } = await startDoor(t);
  bounds.connectionsPerClient = 2;
  bounds.connections = 3;
  const beside = (remoteAddress: string): (() => void) | null =>
    limits.admitBeside({ remoteAddress } as Socket);
  const first = beside('127.0.0.2');
  assert.notEqual(first, null);
  assert.notEqual(beside('127.0.0.2'), null);
  assert.equal(beside('127.0.0.2'), null);
  assert.equal(limits.open(), 0, 'no connection');
  first?.();
  assert.notEqual(beside('127.0.0.2'), null);
  assert.notEqual(beside('127.9.9.9'), null, 'a proxy counts in the total only');
  assert.equal(beside('127.9.9.9'), null);
  assert.deepEqual(told, ['connectionsPerClient 127.0.0.2', 'connections 127.9.9.9']);
});
