import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { CheckRequest } from '../../src/doors/envoy-grpc/messages.ts';
import { endAll } from '../support/end-all.ts';
import { createEnvoyClient, type EnvoyClient } from '../support/envoy-client.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { basic, type Gateway, startGateway } from '../support/gateway.ts';
import { openRaw } from '../support/raw-client.ts';

const checkPath = '/envoy.service.auth.v3.Authorization/Check';
const backend = 'http://127.0.0.1:9';

/** The code with which a call fails. */
async function codeOf(call: Promise<unknown>): Promise<unknown> {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error && 'code' in error, 'the call did not fail');
  return error.code;
}

describe('the door for Envoy over gRPC', () => {
  let gateway: Gateway;
  let client: EnvoyClient;
  let authorization: string;
  before(async () => {
    const grpcPort = await freePort();
    gateway = await startGateway({ backend, config: { doors: { grpcPort, open: ['envoy'] } } });
    await gateway.user('alice');
    authorization = basic('alice', await gateway.token({ scopes: ['path:/dav/alice/:rw'] }));
    client = createEnvoyClient(grpcPort);
  });
  after(() =>
    endAll(
      async () => client?.close(),
      () => gateway?.stop(),
    ),
  );

  const question = (path: string, headers: Readonly<Record<string, string>>): CheckRequest => ({
    attributes: {
      source: { address: { socketAddress: { address: '192.0.2.7' } } },
      request: { http: { method: 'GET', path, host: 'files.example.org', scheme: 'https', headers } },
    },
  });

  test('allows what a token may do, and says who asks', async () => {
    const { status, okResponse } = await client.check(question('/dav/alice/a', { authorization }));
    // A code of 0 is not written on the wire.
    assert.equal(status.code ?? 0, 0);
    assert.deepEqual(okResponse?.headers[0]?.header, { key: 'x-remote-user', value: 'alice' });
    assert.ok(okResponse?.headersToRemove.includes('authorization'));
  });

  test('denies what it may not, and what has no credential', async () => {
    const outside = await client.check(question('/dav/bob/a', { authorization }));
    assert.deepEqual([outside.status.code, outside.deniedResponse?.status.code], [7, 403]);
    const unknown = await client.check(question('/dav/alice/a', { accept: '*/*' }));
    assert.deepEqual([unknown.status.code, unknown.deniedResponse?.status.code], [16, 401]);
  });

  test('denies an empty question and one that lacks something, and says in the log what', async () => {
    for (const asked of [{}, question('', { authorization }), question('/dav/alice/a', {})]) {
      const { status, okResponse, deniedResponse } = await client.check(asked);
      assert.equal(okResponse, undefined);
      assert.deepEqual([status.code, deniedResponse?.status.code], [14, 500]);
    }
    await eventually('all of them in the log', () => {
      const said = gateway.logLines().map(({ problem }) => problem);
      return ['request.http is missing', 'request.http.headers is missing'].every((each) =>
        said.includes(each),
      );
    });
  });

  test('fails a call that is no question: bytes that are no message, too many of them, another method', async () => {
    assert.equal(await codeOf(client.call(checkPath, Buffer.from([0xff, 0xff, 0xff]))), 13);
    assert.equal(await codeOf(client.call(checkPath, Buffer.alloc(300_000))), 8);
    assert.equal(
      await codeOf(client.call('/envoy.service.auth.v2.Authorization/Check', Buffer.alloc(0))),
      12,
    );
  });
});

test('whoever is not in doors.trusted is not listened to over gRPC', async () => {
  const grpcPort = await freePort();
  const config = { doors: { grpcPort, open: ['envoy'], trusted: ['127.0.0.2'] } };
  const gateway = await startGateway({ backend, config });
  try {
    const stranger = await openRaw(grpcPort);
    await stranger.closed;
    assert.equal(stranger.received().length, 0);
    const known = await openRaw(grpcPort, { localAddress: '127.0.0.2' });
    await eventually('its settings', () => known.received().length > 0);
    known.destroy();
    await eventually('a line in the log', () => /not in doors\.trusted/.test(gateway.output()));
  } finally {
    await gateway.stop();
  }
});

for (const workers of [1, 2]) {
  test(`${workers} of its processes answer, and end when told to while Envoy keeps its connections`, async () => {
    const grpcPort = await freePort();
    const config = { workers, doors: { grpcPort, open: ['envoy'] } };
    const gateway = await startGateway({ backend, config });
    const clients = Array.from({ length: 6 }, () => createEnvoyClient(grpcPort));
    try {
      const answers = await Promise.all(clients.map((client) => client.check({})));
      assert.ok(answers.every(({ deniedResponse }) => deniedResponse?.status.code === 500));
      gateway.term();
      assert.equal((await gateway.exited).code, 0);
    } finally {
      for (const client of clients) client.close();
      await gateway.stop();
    }
  });
}
