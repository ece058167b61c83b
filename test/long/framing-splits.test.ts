import { after, before, describe, test } from 'node:test';
import { framingCases } from '../support/cases.ts';
import { assertSplitsSame, deliverWhole } from '../support/framing-arrival.ts';
import { startFramingWorld } from '../support/framing-world.ts';
import type { FramingWorld } from '../support/framing-world.ts';
import { boundaries } from '../support/splits.ts';

describe('split in two at every byte of all, however long', () => {
  let world: FramingWorld;
  before(async () => {
    world = await startFramingWorld();
  });
  after(() => world?.stop());

  for (const each of framingCases().filter(({ todo }) => todo === undefined)) {
    test(`${each.id} ends as it does in one packet`, async () => {
      const whole = await deliverWhole(world, each);
      await assertSplitsSame(world, whole, boundaries(whole.bytes));
    });
  }
});
