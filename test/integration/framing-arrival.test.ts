import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deliver, methodOf } from '../support/arrival.ts';
import type { Parcel } from '../support/arrival.ts';
import { expandRaw, framingCases } from '../support/cases.ts';
import { eventually } from '../support/eventually.ts';
import { assertNothingElse, assertVerdict, statuses } from '../support/framing-verdict.ts';
import type { Observed } from '../support/framing-verdict.ts';
import { startFramingWorld } from '../support/framing-world.ts';
import type { FramingWorld } from '../support/framing-world.ts';
import { replying, response } from '../support/recording-backend.ts';
import { bytewise, splits } from '../support/splits.ts';

/** What a case ended in when it arrived in one packet. */
interface Whole {
  readonly id: string;
  readonly bytes: Buffer;
  readonly method: string;
  readonly seen: Observed;
  /** How many requests the backend got. */
  readonly requests: number;
}

/** So many connections at a time. */
const roundMax = 512;
const loopback = '127.0.0.1';
const cases = framingCases();

describe('the same bytes in other packets', () => {
  let world: FramingWorld;
  const wholes = new Map<string, Whole>();
  before(async () => {
    world = await startFramingWorld();
    for (const each of cases) {
      const bytes = expandRaw(each.raw, world.token);
      const method = methodOf(bytes);
      world.backend.forget();
      const [seen] = await deliver(world.gateway.port, [{ packets: [bytes], methods: [method] }]);
      assert.ok(seen);
      assertVerdict(each, seen, world.backend);
      wholes.set(each.id, { id: each.id, bytes, method, seen, requests: world.backend.requests.length });
    }
  });
  after(() => world?.stop());

  const wholeOf = (id: string): Whole => {
    const whole = wholes.get(id);
    assert.ok(whole, 'it ends as it must in one packet');
    return whole;
  };

  function assertSame(seen: Observed, whole: Whole, before: readonly number[], how: string): void {
    assert.deepEqual(statuses(seen), [...before, ...statuses(whole.seen)], `${whole.id} ${how}`);
    if (whole.seen.closedByGateway) assert.ok(seen.closedByGateway, `${whole.id} ${how} is closed`);
  }

  describe('split in two at every byte', () => {
    for (const { id } of cases) {
      test(`${id} ends as it does in one packet`, async () => {
        const whole = wholeOf(id);
        const all = splits(whole.bytes, { firstBytes: 1_024, lastBytes: 128 });
        for (let first = 0; first < all.length; first += roundMax) {
          const round = all.slice(first, first + roundMax);
          world.backend.forget();
          const parcels = round.map((packets) => ({ packets, methods: [whole.method] }));
          for (const [at, seen] of (await deliver(world.gateway.port, parcels)).entries()) {
            assertSame(seen, whole, [], `in ${round[at]?.[0].length} bytes and the rest`);
          }
          assertNothingElse(world.backend, new Map([[loopback, whole.requests * round.length]]));
        }
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

    for (const { id } of cases) {
      test(`in its packet, ${id} ends as it does alone`, async () => {
        const whole = wholeOf(id);
        world.backend.forget();
        const parcels = goods().map(
          ([method, good]): Parcel => ({
            packets: [Buffer.concat([good, whole.bytes])],
            methods: [method, whole.method],
          }),
        );
        for (const seen of await deliver(world.gateway.port, parcels))
          assertSame(seen, whole, [200], 'behind');
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
            else answer();
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
          for (const seen of await deliver(world.gateway.port, parcels, release)) {
            assertSame(seen, whole, [200], 'behind');
          }
          assertNothingElse(backend, count(whole));
        } finally {
          backend.answerWith(replying(200, 'ok'));
        }
      });
    }
  });

  describe('one byte at a time', () => {
    let results: Promise<ReadonlyMap<string, Observed>>;
    const from = (at: number): string => `127.1.${at >> 8}.${at & 255}`;
    // All at once: in step, they take as long as the longest.
    before(() => {
      world.backend.forget();
      const all = [...wholes.values()];
      const parcels = all.map(
        ({ bytes, method }, at): Parcel => ({
          packets: bytewise(bytes, { firstBytes: 400, lastBytes: 64 }),
          methods: [method],
          from: from(at),
        }),
      );
      results = deliver(world.gateway.port, parcels).then(
        (seen) => new Map(seen.map((one, at) => [all[at]?.id ?? '', one])),
      );
      return results.then(() => undefined);
    });

    for (const { id } of cases) {
      test(`${id} ends as it does in one packet`, async () => {
        const seen = (await results).get(id);
        assert.ok(seen);
        assertSame(seen, wholeOf(id), [], 'byte by byte');
      });
    }

    test('and not a byte beside the requests that may pass reaches the backend', async () => {
      await results;
      assertNothingElse(
        world.backend,
        new Map([...wholes.values()].map(({ requests }, at) => [from(at), requests])),
      );
    });
  });
});
