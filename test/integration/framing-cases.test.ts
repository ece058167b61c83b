import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { deliver, methodOf } from '../support/arrival.ts';
import { caseTitle, expandRaw, framingCases } from '../support/cases.ts';
import { assertVerdict } from '../support/framing-verdict.ts';
import { startFramingWorld } from '../support/framing-world.ts';
import type { FramingWorld } from '../support/framing-world.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';

describe('framing on the wire', () => {
  let world: FramingWorld;
  before(async () => {
    world = await startFramingWorld();
  });
  after(() => world?.stop());

  for (const each of framingCases()) {
    test(caseTitle(each), { todo: each.todo ?? false }, async () => {
      const { backend, gateway, token } = world;
      backend.forget();
      const bytes = expandRaw(each.raw, token);
      const [seen] = await deliver(gateway.port, [{ packets: [bytes], methods: [methodOf(bytes)] }]);
      assert.ok(seen);
      assertVerdict(each, seen, backend);
    });
  }

  test('after all of them an honest request passes', async () => {
    const target = '/dav/files/alice/Photos/a.jpg';
    const answer = await exchange(world.gateway.port, 'GET', target, [
      `Authorization: Bearer ${world.token}`,
    ]);
    assert.equal(status(answer), 200);
  });

  test('every case has an id of its own', () => {
    const ids = framingCases().map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
  });
});
