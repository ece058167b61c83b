import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run, startChild, type Child } from './support/child-process.ts';
import { freePort } from './support/free-port.ts';
import { exchange } from './support/raw-client.ts';
import { requireProgram } from './support/requirement.ts';
import { makeScratch, type Scratch } from './support/scratch.ts';

const demoFile = join(import.meta.dirname, '../scripts/demo.ts');

describe('the demo', requireProgram('curl'), () => {
  let scratch: Scratch;
  let port: number;
  let adminPort: number;

  before(async () => {
    scratch = await makeScratch('demo');
    [port, adminPort] = [await freePort(), await freePort()];
  });

  after(() => scratch.remove());

  const start = (): Child =>
    startChild({
      label: 'demo',
      command: process.execPath,
      args: [demoFile, '--port', `${port}`, '--admin-port', `${adminPort}`, '--data', scratch.file('data')],
    });

  test('prints a URL, a token and curl lines that do what they say; INT and TERM leave nothing', async () => {
    const tokens: string[] = [];
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const demo = start();
      try {
        await demo.waitForOutput(/Ctrl-C ends/, 60_000);
        const lines = demo.stdout().split('\n');
        assert.ok(lines.includes(`http://127.0.0.1:${port}/`));
        tokens.push(...lines.filter((line) => /^lk_[0-9A-Za-z]{42}$/.test(line)));
        const [list = '', upload = '', refused = '', ...more] = lines.filter((line) =>
          line.startsWith('curl '),
        );
        assert.deepEqual(more, []);
        assert.match(await shell(list), /Welcome\.txt/);
        assert.match(await shell(upload), /^HTTP\/1\.1 20[14] /);
        assert.match(await shell(refused), /^HTTP\/1\.1 403 /);
        demo.signal(signal);
        assert.deepEqual(await demo.exited, { code: 0, signal: null }, demo.stderr());
      } finally {
        await demo.stop();
      }
      assert.ok(await isFree(port), 'the public listener is gone');
      assert.ok(await isFree(adminPort), 'the admin listener is gone');
    }
    assert.equal(tokens.length, 2);
    assert.equal(tokens[0], tokens[1], 'the second start shows the token of the first');
  });

  test('says which port is taken, and starts nothing', async () => {
    const taken = createServer().listen(port, '127.0.0.1');
    await once(taken, 'listening');
    try {
      const demo = start();
      assert.deepEqual(await demo.exited, { code: 1, signal: null });
      assert.match(demo.stderr(), new RegExp(`port ${port} cannot be had`));
      assert.equal(demo.stdout(), '');
    } finally {
      taken.close();
    }
  });
});

async function shell(line: string): Promise<string> {
  const done = await run({ label: line, command: 'sh', args: ['-c', line] });
  assert.equal(done.code, 0, done.stderr);
  return done.stdout;
}

function isFree(port: number): Promise<boolean> {
  return exchange(port, 'GET', '/').then(
    () => false,
    () => true,
  );
}
