import assert from 'node:assert/strict';
import { deliver, methodOf } from './arrival.ts';
import type { Parcel } from './arrival.ts';
import { expandRaw } from './cases.ts';
import type { FramingCase } from './cases.ts';
import { assertNothingElse, assertVerdict, statuses } from './framing-verdict.ts';
import type { Observed } from './framing-verdict.ts';
import type { FramingWorld } from './framing-world.ts';
import { splits } from './splits.ts';

/** What a case ended in when it arrived in one packet. */
export interface Whole {
  readonly id: string;
  readonly bytes: Buffer;
  readonly method: string;
  readonly seen: Observed;
  /** How many requests the backend got. */
  readonly requests: number;
}

/** Where connections come from unless they say otherwise. */
export const loopback = '127.0.0.1';
/** So many connections at a time. */
const roundMax = 512;

/** Sends a case in one packet and asserts that it ends as it must. */
export async function deliverWhole(world: FramingWorld, each: FramingCase): Promise<Whole> {
  const bytes = expandRaw(each.raw, world.token);
  const method = methodOf(bytes);
  world.backend.forget();
  const [seen] = await deliver(world.gateway.port, [{ packets: [bytes], methods: [method] }]);
  assert.ok(seen);
  assertVerdict(each, seen, world.backend);
  return { id: each.id, bytes, method, seen, requests: world.backend.requests.length };
}

/** Asserts that a case ended, behind answers of these statuses, as it does in one packet. */
export function assertSame(seen: Observed, whole: Whole, before: readonly number[], how: string): void {
  assert.deepEqual(statuses(seen), [...before, ...statuses(whole.seen)], `${whole.id} ${how}`);
  if (whole.seen.closedByGateway) assert.ok(seen.closedByGateway, `${whole.id} ${how} is closed`);
}

/** Cuts a case in two at each of these places, and asserts each time that it ends as it does in one packet. */
export async function assertSplitsSame(
  world: FramingWorld,
  whole: Whole,
  cuts: readonly number[],
): Promise<void> {
  const all = splits(whole.bytes, cuts);
  for (let first = 0; first < all.length; first += roundMax) {
    const round = all.slice(first, first + roundMax);
    world.backend.forget();
    const parcels = round.map((packets): Parcel => ({ packets, methods: [whole.method] }));
    for (const [at, seen] of (await deliver(world.gateway.port, parcels)).entries()) {
      assertSame(seen, whole, [], `in ${round[at]?.[0].length} bytes and the rest`);
    }
    assertNothingElse(world.backend, new Map([[loopback, whole.requests * round.length]]));
  }
}
