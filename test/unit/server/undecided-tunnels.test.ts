import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Verification } from '../../../src/tokens/verification.ts';
import { eventually } from '../../support/eventually.ts';
import { head, openRaw } from '../../support/raw-client.ts';
import { principal } from '../gateway/route-fixture.ts';
import { authorized, startListener } from './listener-fixture.ts';

const handshake = [
  authorized,
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const granted: Verification = { kind: 'verified', principal: principal(), tier: 'l1' };

for (const sender of ['client', 'backend'] as const) {
  test(`what the ${sender} sends through a WebSocket that nobody could decide again for four seconds is not passed on`, async (t) => {
    let decisions = 0;
    const { port, backend } = await startListener(t, {
      // At first at once, then never: a store that does not answer, or a process that stood still.
      verify: () => (decisions++ === 0 ? Promise.resolve(granted) : new Promise(() => undefined)),
    });
    backend.answerWith({ head: (_request, socket) => void socket.write(switching) });
    const begun = backend.nextHead();
    const raw = await openRaw(port);
    t.after(() => raw.destroy());
    await raw.send(head('GET', '/dav/ws', handshake));
    const { connection } = await begun;
    await eventually('the tunnel', () => raw.received().includes('101'));
    await raw.send('early');
    await eventually('what is sent early', () => backend.text().endsWith('early'));
    const beganMs = performance.now();
    await eventually('four seconds', () => performance.now() - beganMs > 4_100, { withinMs: 20_000 });
    assert.ok(decisions > 1, 'it was to be decided again');
    await eventually('the end', async () => {
      if (sender === 'client') await raw.send('late');
      else connection.socket.write('late');
      return connection.socket.destroyed;
    });
    await raw.closed;
    assert.doesNotMatch(backend.text(), /late/);
    assert.doesNotMatch(raw.received().toString('latin1'), /late/);
  });
}
