import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { within } from '../support/eventually.ts';
import { status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { replying, response } from '../support/recording-backend.ts';
import type { Answer, RecordedConnection } from '../support/recording-backend.ts';
import { startWire, type Wire } from './wire.ts';

const poison = response(200, 'POISON');

describe('a backend connection that says more than was asked', () => {
  let wire: Wire;
  let token: string;
  before(async () => {
    wire = await startWire((backend) => ({ backend, config: { limits: { backendConnections: 1 } } }));
    token = await wire.bearer('*');
  });
  after(() => wire?.stop());
  beforeEach(() => wire.backend.forget());

  /** Asks once with a backend that answers so; resolves to the connection it came by, and the answer. */
  async function askPoisoned(method: string, answer: Answer): Promise<readonly [RecordedConnection, string]> {
    wire.backend.answerWith(answer);
    const arrived = wire.backend.nextRequest();
    const raw = await openRaw(wire.gateway.port);
    try {
      await raw.send(head(method, '/dav/a', [token]), method);
      const { connection } = await arrived;
      const said = await raw.nextResponse();
      return [connection, said.startLine + said.body.toString('latin1')];
    } finally {
      raw.destroy();
    }
  }

  async function assertServesHonestly(notBy: RecordedConnection): Promise<void> {
    wire.backend.answerWith(replying(200, 'honest'));
    const arrived = wire.backend.nextRequest();
    const answer = await exchange(wire.gateway.port, 'GET', '/dav/b', [token]);
    assert.equal(status(answer), 200);
    assert.equal(answer.body.toString(), 'honest');
    assert.notEqual((await arrived).connection, notBy, 'the poisoned connection is not used again');
  }

  test('a response nobody asked for, on an idle connection, has it discarded [S14, CVE-2026-6733, CVE-2026-71324]', async () => {
    const [connection, said] = await askPoisoned('GET', replying(200, 'first'));
    assert.match(said, /first/);
    connection.socket.write(poison);
    await within('the connection to be closed', 5_000, connection.closed);
    await assertServesHonestly(connection);
  });

  test('a second response in the same packet answers no other request [S14, CVE-2026-6733]', async () => {
    const twice = Buffer.concat([response(200, 'first'), poison]);
    const [connection, said] = await askPoisoned('GET', { message: (_, socket) => void socket.write(twice) });
    assert.match(said, /first/);
    await assertServesHonestly(connection);
  });

  for (const [method, answered] of [
    ['HEAD', 200],
    ['GET', 204],
    ['GET', 304],
  ] as const) {
    test(`a body behind a response that has none is no response to the next request: ${answered} to ${method}`, async () => {
      const answer = {
        message: (_: unknown, socket: RecordedConnection['socket']) =>
          void socket.write(response(answered, poison)),
      };
      const [connection, said] = await askPoisoned(method, answer);
      assert.ok(!said.includes('POISON'), said);
      await assertServesHonestly(connection);
    });
  }

  test('an answer before the end of an upload ends the connection with it [S14]', async () => {
    wire.backend.answerWith({ head: (_, socket) => void socket.write(response(403, 'early')) });
    const arrived = wire.backend.nextHead();
    const raw = await openRaw(wire.gateway.port);
    await raw.send(
      `${head('PUT', '/dav/a', [token, 'Content-Length: 10000000'])}${'x'.repeat(200_000)}`,
      'PUT',
    );
    const { connection } = await arrived;
    assert.equal(status(await raw.nextResponse()), 403);
    raw.destroy();
    await assertServesHonestly(connection);
  });
});
