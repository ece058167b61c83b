import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { Socket } from 'node:net';
import type { TokenId } from '../../src/core/ids.ts';
import { status } from '../support/http-message.ts';
import { head, openRaw } from '../support/raw-client.ts';
import type { RawConnection } from '../support/raw-client.ts';
import { response } from '../support/recording-backend.ts';
import type { Answer, RecordedRequest } from '../support/recording-backend.ts';
import { principal } from '../unit/gateway/route-fixture.ts';
import { startListener } from '../unit/server/listener-fixture.ts';
import type { StartedListener } from '../unit/server/listener-fixture.ts';

/** Four clients, each with a token of their own. */
export const names = ['alice', 'bob', 'carol', 'dave'] as const;

/** A listener for which everybody's token is their name. */
export function startFour(t: TestContext): Promise<StartedListener> {
  return startListener(t, {
    verify: (secret) =>
      Promise.resolve({
        kind: 'verified',
        principal: principal({ userName: secret, tokenId: secret as TokenId }),
        tier: 'l1',
      }),
  });
}

/** Sends one request of `name`'s and resolves to the final answer, as status and body. */
export async function ask(raw: RawConnection, method: string, name: string, target: string): Promise<string> {
  await raw.send(head(method, target, [`Authorization: Bearer ${name}`]), method);
  const answer = await raw.nextResponse();
  return `${status(answer)} ${answer.body.toString('latin1')}`;
}

/** The response to this request. */
export const right = ({ target }: RecordedRequest): Buffer => response(200, `right ${target}`);
/** What comes beside it. */
export const second = ({ target }: RecordedRequest): Buffer => response(200, `SECOND ${target}`);

const later =
  (ms: number): NonNullable<Answer['message']> =>
  (request, socket) => {
    socket.write(right(request));
    setTimeout(() => socket.destroyed || socket.write(second(request)), ms);
  };

/** Comes only in front of the answer to the next request over the connection. */
function heldBack(): NonNullable<Answer['message']> {
  const held = new WeakMap<Socket, Buffer>();
  return (request, socket) => {
    socket.write(Buffer.concat([held.get(socket) ?? Buffer.alloc(0), right(request)]));
    held.set(socket, second(request));
  };
}

/** When the second response comes, and the answer that sends it. */
export const moments: readonly (readonly [string, NonNullable<Answer['message']>])[] = [
  [
    'in the same packet',
    (request, socket) => void socket.write(Buffer.concat([right(request), second(request)])),
  ],
  [
    'in a packet of its own',
    (request, socket) => {
      socket.write(right(request));
      socket.write(second(request));
    },
  ],
  ['1 ms later', later(1)],
  ['5 ms later', later(5)],
  ['held back until the next request', heldBack()],
];

/** Asks `each` times for each of the four at once, and asserts that nobody gets what came too much for another. */
export async function assertEachGetsTheirs(
  t: TestContext,
  message: NonNullable<Answer['message']>,
  each: number,
): Promise<void> {
  const { port, backend } = await startFour(t);
  backend.answerWith({ message });
  await Promise.all(
    names.map(async (name) => {
      const raw = await openRaw(port);
      for (let count = 0; count < each; count++) {
        const target = `/dav/${name}/${count}`;
        // What comes to its own sender again is no leak; the backend is found out all the same.
        const said = await ask(raw, 'GET', name, target);
        assert.ok(said === `200 right ${target}` || said.startsWith(`200 SECOND /dav/${name}/`), said);
      }
      raw.destroy();
    }),
  );
}
