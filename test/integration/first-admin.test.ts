import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { startChild } from '../support/child-process.ts';
import { fileURLToPath } from 'node:url';
import { type PortalWorld, startPortal } from '../support/portal.ts';

const linkForm = /http:\/\/127\.0\.0\.1:\d+(\/\.latchkey\/welcome\/([\w-]{43}))\n/;

describe('a gateway without an admin', () => {
  let world: PortalWorld;
  before(async () => {
    world = await startPortal();
  });
  after(() => world.stop());

  test('prints a link by which one person becomes the admin, once', async () => {
    const [, path = '', secret = ''] = linkForm.exec(world.gateway.output()) ?? [];
    assert.notEqual(path, '', world.gateway.output());
    const browser = world.browser();
    const shown = await browser.get(path);
    assert.equal(shown.status, 200);
    assert.match(shown.headers.get('cache-control') ?? '', /no-store/);

    const hasty = await browser.post(path, { username: 'root', next: 'short', again: 'short' });
    assert.equal(hasty.status, 422);
    const chosen = 'a password of its own';
    const made = await browser.post(path, { username: 'root', next: chosen, again: chosen });
    assert.equal(made.status, 200, await made.clone().text());
    assert.equal((await browser.fetch('/.latchkey/admin/users')).status, 200);

    const late = world.browser();
    assert.notEqual((await late.get(path)).status, 200);
    const replayed = await late.post(path, { username: 'other', next: chosen, again: chosen });
    assert.notEqual(replayed.status, 200);
    assert.equal((await late.fetch('/.latchkey/')).status, 303);

    const logged = world.gateway.logLines().map((line) => JSON.stringify(line));
    assert.ok(
      logged.length > 0 && logged.every((line) => !line.includes(secret)),
      'the log does not hold it',
    );
  });

  test('prints none any more once there is one', async () => {
    assert.ok(!linkForm.test(await restarted()));
  });

  /** What a second gateway on the same store says at its start. */
  async function restarted(): Promise<string> {
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const args = [main, 'serve', '--config', world.gateway.configFile, '--port', '0', '--admin-port', '0'];
    const child = startChild({ label: 'second gateway', command: process.execPath, args });
    await child.waitForOutput(/configuration: /);
    await child.stop();
    return child.stderr();
  }
});

test('a gateway whose store takes no link says so, serves, and ends when it is told to', async () => {
  const world = await startPortal();
  try {
    const database = new DatabaseSync(world.gateway.scratch.file('data', 'latchkey.db'));
    database.exec(
      `CREATE TRIGGER none BEFORE INSERT ON one_time_links BEGIN SELECT RAISE(ABORT, 'not now'); END`,
    );
    database.close();
    const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
    const args = [main, 'serve', '--config', world.gateway.configFile, '--port', '0', '--admin-port', '0'];
    const child = startChild({ label: 'second gateway', command: process.execPath, args });
    await child.waitForOutput(
      /no link for a first admin could be made: .*`latchkey user admin-link` makes one/,
    );
    assert.equal((await child.stop()).code, 0);
  } finally {
    await world.stop();
  }
});
