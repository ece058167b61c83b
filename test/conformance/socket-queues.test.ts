import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import { openRaw } from '../support/raw-client.ts';
import { arrivedAtPeer, readByPeer, underWay } from '../support/socket-queues.ts';

test('what is written once the peer has read is had by another read', async () => {
  const reads = new Map<number, string[]>();
  const peers: Socket[] = [];
  const server = createServer({ pauseOnConnect: true }, (peer) => {
    const own: string[] = [];
    reads.set(peer.remotePort ?? 0, own);
    peer.on('data', (chunk: Buffer) => own.push(chunk.toString()));
    peers.push(peer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients = await Promise.all(Array.from({ length: 100 }, () => openRaw(port)));
  const sockets = clients.map(({ socket }) => socket);
  try {
    for (const client of clients) await client.send('first');
    await arrivedAtPeer(port, sockets);
    assert.equal((await underWay(port, sockets, ['unread'])).length, 100, 'nobody reads yet');
    for (const peer of peers) peer.resume();
    for (const word of ['second', 'third']) {
      await readByPeer(port, sockets);
      for (const client of clients) void client.send(word);
    }
    await readByPeer(port, sockets);
    for (const client of clients) client.socket.end();
    await Promise.all(clients.map(({ closed }) => closed));
    assert.equal(reads.size, 100);
    for (const own of reads.values()) assert.deepEqual(own, ['first', 'second', 'third']);
  } finally {
    for (const client of clients) client.destroy();
    server.close();
  }
});
