import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deliver } from './arrival.ts';
import type { Parcel } from './arrival.ts';
import type { FramingCase } from './cases.ts';
import { eventually } from './eventually.ts';
import { assertSame, assertSplitsSame, deliverWhole, loopback } from './framing-arrival.ts';
import type { Whole } from './framing-arrival.ts';
import { assertNothingElse } from './framing-verdict.ts';
import { startFramingWorld } from './framing-world.ts';
import type { FramingWorld } from './framing-world.ts';
import { replying, response } from './recording-backend.ts';
import { boundaries, commonBytes, pieces } from './splits.ts';

/** Of these every boundary is tried, of the others only those that no case before begins with. */
const splitEverywhere = 67;
/** Behind a request that Node's parser has read, nothing tells these from a head that is still on its way. */
const unfinished = new Set(['http09-line', 'http09-lf']);

/**
 * Tests that each case ends as it does in one packet: cut in two, behind a good request in its packet and in one of its
 * own, and byte by byte. A case that is still to do is left out.
 */
export function describeArrivals(all: readonly FramingCase[]): void {
  const cases = all.filter(({ todo }) => todo === undefined);
  describe('the same bytes in other packets', () => {
    let world: FramingWorld;
    const wholes = new Map<string, Whole>();
    before(async () => {
      world = await startFramingWorld();
      for (const each of cases) wholes.set(each.id, await deliverWhole(world, each));
    });
    after(() => world?.stop());

    const wholeOf = (id: string): Whole => {
      const whole = wholes.get(id);
      assert.ok(whole, 'it ends as it must in one packet');
      return whole;
    };

    describe('split in two at every byte', () => {
      for (const [at, { id }] of cases.entries()) {
        test(`${id} ends as it does in one packet`, async () => {
          const whole = wholeOf(id);
          const known = cases.slice(0, at).map((one) => commonBytes(wholeOf(one.id).bytes, whole.bytes));
          const from = at < splitEverywhere ? 0 : Math.max(...known);
          const cuts = boundaries(whole.bytes, 1_024, 128);
          await assertSplitsSame(
            world,
            whole,
            cuts.filter((cut) => cut >= from),
          );
        });
      }
    });

    describe('pipelined behind a good request', () => {
      const url = '/dav/files/alice/Photos/good';
      const goods = (): readonly (readonly [string, Buffer])[] =>
        [
          ['GET', '\r\n'],
          ['PUT', 'Content-Length: 3\r\n\r\nabc'],
          ['PUT', 'Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
        ].map(([method = '', rest = '']) => [
          method,
          Buffer.from(
            `${method} ${url} HTTP/1.1\r\nHost: gw.example\r\nAuthorization: Bearer ${world.token}\r\n${rest}`,
          ),
        ]);
      const count = (whole: Whole): ReadonlyMap<string, number> =>
        new Map([[loopback, goods().length * (1 + whole.requests)]]);

      for (const { id } of cases.filter((each) => !unfinished.has(each.id))) {
        test(`in its packet, ${id} ends as it does alone`, async () => {
          const whole = wholeOf(id);
          world.backend.forget();
          const parcels = goods().map(
            ([method, good]): Parcel => ({
              packets: [Buffer.concat([good, whole.bytes])],
              methods: [method, whole.method],
            }),
          );
          const results = await deliver(world.gateway.port, parcels);
          for (const [at, seen] of results.entries()) assertSame(seen, whole, [200], `behind good ${at}`);
          assertNothingElse(world.backend, count(whole));
        });

        test(`in a packet of its own, while that is at the backend, ${id} ends as it does alone`, async () => {
          const whole = wholeOf(id);
          const { backend } = world;
          backend.forget();
          const held: (() => void)[] = [];
          let holding = true;
          backend.answerWith({
            message(request, socket) {
              const answer = (): unknown => socket.write(response(200, 'ok'));
              if (holding && request.target === url) held.push(answer);
              else replying(200, 'ok').message?.(request, socket);
            },
          });
          const parcels = goods().map(
            ([method, good]): Parcel => ({
              packets: [good, whole.bytes],
              methods: [method, whole.method],
            }),
          );
          const release = async (): Promise<void> => {
            await eventually('the good requests', () => held.length === parcels.length, { everyMs: 1 });
            holding = false;
            for (const answer of held) answer();
          };
          try {
            const results = await deliver(world.gateway.port, parcels, release);
            for (const [at, seen] of results.entries()) assertSame(seen, whole, [200], `behind good ${at}`);
            assertNothingElse(backend, count(whole));
          } finally {
            backend.answerWith(replying(200, 'ok'));
          }
        });
      }
    });

    describe('one byte at a time', () => {
      // Many at once: in step, they take as long as the longest.
      const groupMax = 20;
      for (let first = 0; first < cases.length; first += groupMax) {
        const group = cases.slice(first, first + groupMax);
        const names = `${group[0]?.id} to ${group.at(-1)?.id}`;
        test(`all from ${names} end as they do in one packet`, async () => {
          const all = group.map(({ id }) => wholeOf(id));
          const from = all.map((_, at) => `127.1.0.${at + 1}`);
          const parcels = all.flatMap(({ bytes, method }, at) =>
            drops(bytes).map(
              (packets): Parcel => ({ packets, methods: [method], from: from[at] ?? loopback }),
            ),
          );
          const wholeBehind = all.flatMap((whole) => drops(whole.bytes).map(() => whole));
          world.backend.forget();
          const results = await deliver(world.gateway.port, parcels);
          for (const [at, seen] of results.entries())
            assertSame(seen, wholeBehind[at] as Whole, [], 'byte by byte');
          const expected = all.map(({ bytes, requests }, at): [string, number] => [
            from[at] ?? loopback,
            requests * drops(bytes).length,
          ]);
          assertNothingElse(world.backend, new Map(expected));
        });
      }
    });
  });
}

/**
 * The ways in which a case comes byte by byte: as a whole, or, where its body is in chunks, first the head and then the
 * body, of which a hundred bytes have to do. The gateway waits 10 s for the end of such a body before it passes on what
 * has come.
 */
function drops(bytes: Buffer): readonly (readonly Buffer[])[] {
  const bodyAt = bytes.indexOf('\r\n\r\n') + 4;
  if (bodyAt < 4 || !/transfer.encoding/i.test(bytes.toString('latin1'))) {
    return [pieces(bytes, boundaries(bytes, 400, 64))];
  }
  const cuts = boundaries(bytes, bodyAt + 100, 16);
  return [cuts.filter((cut) => cut <= bodyAt), cuts.filter((cut) => cut >= bodyAt)].map((some) =>
    pieces(bytes, some),
  );
}
