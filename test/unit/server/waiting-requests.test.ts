import assert from 'node:assert/strict';
import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Verification } from '../../../src/tokens/verification.ts';
import { eventually } from '../../support/eventually.ts';
import { head, openRaw, type RawConnection } from '../../support/raw-client.ts';
import { replying, response } from '../../support/recording-backend.ts';
import { principal } from '../gateway/route-fixture.ts';
import { authorized, startListener } from './listener-fixture.ts';

const granted: Verification = { kind: 'verified', principal: principal(), tier: 'l1' };
const revoked: Verification = { kind: 'refused', reason: 'revoked', tier: 'l1' };

/** Says what it is told to say, and counts how often it was asked. */
interface Verdict {
  says: Verification;
  count: number;
}

function verdict(): Verdict & { readonly verify: () => Promise<Verification> } {
  const state = {
    says: granted,
    count: 0,
    verify() {
      state.count++;
      return Promise.resolve(state.says);
    },
  };
  return state;
}

const decided = (by: Verdict, times: number): Promise<unknown> =>
  eventually(`${times} decisions`, () => by.count >= times, { withinMs: 20_000 });

/** Longer than the decision on a waiting request holds. */
const limits = { backendConnections: 1, backendWaitMs: 10_000, connectMs: 10_000, backendHeadMs: 10_000 };

async function asked(t: TestContext, port: number, path: string): Promise<RawConnection> {
  const raw = await openRaw(port);
  t.after(() => raw.destroy());
  await raw.send(head('GET', path, [authorized]));
  return raw;
}

test('a request that waits for a connection to its backend is refused once its token is revoked', async (t) => {
  const by = verdict();
  const { port, backend, records } = await startListener(t, { limits, verify: by.verify });
  backend.answerWith({});
  const begun = backend.nextHead();
  const first = await asked(t, port, '/dav/first');
  const { connection } = await begun;
  const second = await asked(t, port, '/dav/second');
  await decided(by, 2);
  by.says = revoked;
  assert.match((await second.nextResponse()).startLine, / 401 /);
  backend.answerWith(replying(200));
  connection.socket.write(response(200));
  assert.match((await first.nextResponse()).startLine, / 200 /);
  assert.doesNotMatch(backend.text(), /second/);
  assert.deepEqual(
    records.map(({ status, outcome }) => [status, outcome]),
    [
      [401, 'unauthenticated'],
      [200, 'ok'],
    ],
  );
});

test('a request that waits for a connection to its backend is passed on where it is still allowed, however long it waits', async (t) => {
  const by = verdict();
  const { port, backend } = await startListener(t, { limits, verify: by.verify });
  backend.answerWith({});
  const begun = backend.nextHead();
  await asked(t, port, '/dav/first');
  const { connection } = await begun;
  const second = await asked(t, port, '/dav/second');
  await decided(by, 4);
  backend.answerWith(replying(200));
  connection.socket.write(response(200));
  assert.match((await second.nextResponse()).startLine, / 200 /);
});

test('a request whose backend takes its time to be connected to is refused once its token is revoked', async (t) => {
  const by = verdict();
  let heard = '';
  const sockets: Socket[] = [];
  // TLS is spoken with it, and it does not answer.
  const silent = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (chunk) => (heard += chunk.toString('latin1'))).on('error', () => undefined);
  });
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
  const { port: backendPort } = silent.address() as AddressInfo;
  const { port } = await startListener(t, {
    limits,
    route: { backend: [`https://localhost:${backendPort}`] },
    verify: by.verify,
  });
  const raw = await asked(t, port, '/dav/a');
  await decided(by, 1);
  by.says = revoked;
  assert.match((await raw.nextResponse()).startLine, / 401 /);
  assert.doesNotMatch(heard, /dav/);
});
