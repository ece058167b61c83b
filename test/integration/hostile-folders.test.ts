import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { type PlainBrowser, personPassword, type PortalWorld, startPortal } from '../support/portal.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';

describe('looking through folders of a backend that does not answer', () => {
  let backend: RecordingBackend;
  let world: PortalWorld;
  before(async () => {
    backend = await startRecordingBackend();
    backend.answerWith({});
    world = await startPortal({ backend: backend.url });
    await Promise.all([world.person('alice'), world.person('bob')]);
  });
  after(async () => {
    await world.stop();
    await backend.close();
  });

  const look = (who: PlainBrowser): Promise<number> =>
    who.fetch('/.latchkey/api/v1/folders?path=/').then(({ status }) => status);

  test('keeps nobody busy but its own: a third look of one person is refused at once, another’s goes through', async () => {
    const [alice, bob] = [world.browser(), world.browser()];
    await alice.signIn('alice', personPassword);
    await bob.signIn('bob', personPassword);
    const waiting = [look(alice), look(alice)];
    await eventually('two looks', () => backend.requests.length === 2);
    assert.equal(await look(alice), 503);
    assert.equal(backend.requests.length, 2);
    waiting.push(look(bob));
    await eventually('the look of another', () => backend.requests.length === 3);
    for (const { connection } of backend.requests) connection.socket.destroy();
    for (const status of await Promise.all(waiting)) assert.ok(status >= 500, String(status));
    const again = look(alice);
    await eventually('a look after them', () => backend.requests.length > 3);
    for (const { connection } of backend.requests) connection.socket.destroy();
    assert.ok((await again) >= 500);
  });
});
