import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { basic, startGateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';

test('an upload whose client leaves while it waits for a backend connection harms nobody', async (t) => {
  const backend = await startRecordingBackend();
  t.after(() => backend.close());
  const gateway = await startGateway({ backend: backend.url, config: { limits: { backendConnections: 1 } } });
  t.after(() => gateway.stop());
  await gateway.user('alice');
  const authorization = `Authorization: ${basic('alice', await gateway.token())}`;
  backend.answerWith({});
  const first = await openRaw(gateway.port);
  const arrived = backend.nextRequest();
  await first.send(head('GET', '/dav/first', [authorization]));
  const { connection } = await arrived;
  const waiting = await openRaw(gateway.port);
  await waiting.send(
    `${head('PUT', '/dav/a', [authorization, 'Content-Length: 100000'])}${'a'.repeat(50_000)}`,
  );
  const inFlight = (): Promise<number> => gateway.metric('latchkey_http_requests_in_flight');
  await eventually('both are under way', async () => (await inFlight()) === 2);
  waiting.socket.resetAndDestroy();
  await eventually('the upload is over', async () => (await inFlight()) === 1);
  connection.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
  assert.equal(status(await first.nextResponse()), 204);
  first.destroy();
  backend.answerWith({ message: (_, socket) => void socket.write('HTTP/1.1 204 No Content\r\n\r\n') });
  assert.equal(status(await exchange(gateway.port, 'GET', '/dav/b', [authorization])), 204);
});

test('a download that waits longer for a backend connection than it may gets 503', async (t) => {
  const backend = await startRecordingBackend();
  t.after(() => backend.close());
  const limits = { backendConnections: 1, backendWait: '100ms' };
  const gateway = await startGateway({ backend: backend.url, config: { limits } });
  t.after(() => gateway.stop());
  await gateway.user('alice');
  const authorization = `Authorization: ${basic('alice', await gateway.token())}`;
  backend.answerWith({});
  const first = await openRaw(gateway.port);
  const arrived = backend.nextRequest();
  await first.send(head('GET', '/dav/first', [authorization]));
  const { connection } = await arrived;
  const refused = await exchange(gateway.port, 'GET', '/dav/second', [authorization]);
  assert.deepEqual([status(refused), field(refused, 'retry-after')], [503, '2']);
  connection.socket.write('HTTP/1.1 204 No Content\r\n\r\n');
  assert.equal(status(await first.nextResponse()), 204);
  first.destroy();
  assert.deepEqual(
    backend.requests.map(({ target }) => target),
    ['/dav/first'],
  );
});
