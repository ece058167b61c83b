import assert from 'node:assert/strict';
import { readdir, readlink } from 'node:fs/promises';
import { after, before, beforeEach, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { eventually, within } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { replying, startRecordingBackend } from '../support/recording-backend.ts';
import type { Answer, RecordingBackend } from '../support/recording-backend.ts';

/** Sockets that a process holds now. */
async function socketsOf(pid: number): Promise<number> {
  const folder = `/proc/${pid}/fd`;
  const links = await Promise.all(
    (await readdir(folder)).map((fd) => readlink(`${folder}/${fd}`).catch(() => '')),
  );
  return links.filter((link) => link.startsWith('socket:')).length;
}

describe('clients that leave', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let authorization: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway({ backend: backend.url, config: { limits: { backendConnections: 16 } } });
    await gateway.user('alice');
    authorization = `Authorization: Bearer ${await gateway.token()}`;
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );
  beforeEach(() => backend.forget());

  const half: NonNullable<Answer['head']> = (_, socket) =>
    void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhalf');

  for (const [where, method, fields, answer] of [
    ['before the answer', 'GET', [], {}],
    ['in the middle of a download', 'GET', [], { head: half }],
    ['in the middle of an upload', 'PUT', ['Content-Length: 1000000'], {}],
  ] as const satisfies readonly (readonly [string, string, readonly string[], Answer])[]) {
    for (const leave of ['end', 'resetAndDestroy'] as const) {
      // An end alone says only that nothing more is sent: somebody who waits for an answer may say so.
      if (leave === 'end' && method === 'GET') continue;
      const times = 250;
      test(`${where} by ${leave}, ${times} times, leave no connection behind, here or at the backend`, async () => {
        const before = await socketsOf(gateway.pid);
        backend.answerWith(answer);
        const visit = async (): Promise<void> => {
          const raw = await openRaw(gateway.port);
          const arrived = backend.nextHead(20_000);
          await raw.send(head(method, '/dav/a', [authorization, ...fields]), method);
          if (method === 'PUT') await raw.send('x'.repeat(40_000), method);
          const { connection } = await arrived;
          if ('head' in answer) await eventually('half', () => raw.received().toString().endsWith('half'));
          raw.socket[leave]();
          await within('the end at the backend', 20_000, connection.closed);
          raw.destroy();
        };
        for (let count = 0; count < times; count++) await visit();
        backend.answerWith(replying(200, 'right'));
        assert.equal(
          (await exchange(gateway.port, 'GET', '/dav/b', [authorization])).body.toString(),
          'right',
        );
        await eventually('the sockets to be as few as before', async () => {
          return (await socketsOf(gateway.pid)) <= before + 2;
        });
        assert.ok(backend.connections.filter(({ socket }) => !socket.destroyed).length <= 1);
      });
    }
  }
});

describe('a gateway that is killed', () => {
  test('in the middle of a download leaves its client a cut connection and its backend an ended one, and serves again when started', async () => {
    const backend = await startRecordingBackend();
    try {
      const killed = await startGateway({ backend: backend.url });
      await killed.user('alice');
      const authorization = `Authorization: Bearer ${await killed.token()}`;
      backend.answerWith({
        head: (_, socket) => void socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhalf'),
      });
      const arrived = backend.nextHead();
      const raw = await openRaw(killed.port);
      await raw.send(head('GET', '/dav/a', [authorization]));
      const { connection } = await arrived;
      await eventually('half of it', () => raw.received().toString().includes('half'));
      process.kill(killed.pid, 'SIGKILL');
      await within('both ends', 5_000, Promise.all([raw.closed, connection.closed, killed.exited]));
      assert.deepEqual(raw.responses, [], 'no end of the response is made up');
      await killed.scratch.remove();
      const again = await startGateway({ backend: backend.url });
      await again.user('alice');
      backend.answerWith(replying(200, 'right'));
      const fields = [`Authorization: Bearer ${await again.token()}`];
      const answer = await exchange(again.port, 'GET', '/dav/a', fields);
      assert.equal(`${status(answer)} ${answer.body.toString()}`, '200 right');
      await again.stop();
    } finally {
      await backend.close();
    }
  });
});
