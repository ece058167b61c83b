import assert from 'node:assert/strict';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { PepperId } from '../../../src/core/ids.ts';
import { systemRandom } from '../../../src/core/random.ts';
import { Fault } from '../../../src/core/errors.ts';
import { openPeppers } from '../../../src/tokens/pepper-file.ts';
import type { Peppers } from '../../../src/tokens/digest.ts';
import { makeScratch, type Scratch } from '../../support/scratch.ts';

describe('peppers', () => {
  let scratch: Scratch;
  let file: string;
  beforeEach(async () => {
    scratch = await makeScratch('pepper');
    file = scratch.file('data', 'pepper');
  });
  afterEach(() => scratch.remove());

  function open(needed: readonly string[] = [], configured: { id: string; secret: string }[] | null = null) {
    const store = { pepperIdsInUse: async () => needed as readonly PepperId[] };
    return openPeppers({ configured, file, store, randomBytes: systemRandom });
  }

  async function refusal(opening: Promise<Peppers>): Promise<string> {
    const fault = await opening.then(
      () => null,
      (error: unknown) => error,
    );
    assert.ok(fault instanceof Fault);
    assert.equal(fault.code, 'store_unavailable');
    return fault.message;
  }

  test('are made at the first start, in a file that only its owner reads, and found again', async () => {
    const first = await open();
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const second = await open([first.current]);
    assert.equal(second.digest('lk_x'), first.digest('lk_x'));
    assert.deepEqual(await readdir(scratch.file('data')), ['pepper']);
  });

  test('are the same for all who start at once', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => open()));
    assert.equal(new Set(all.map((peppers) => peppers.digest('lk_x'))).size, 1);
  });

  test('of the configuration come before the file, and none is written', async () => {
    const peppers = await open(
      [],
      [
        { id: 'a', secret: 'x' },
        { id: 'b', secret: 'y' },
      ],
    );
    assert.equal(peppers.current, 'a');
    assert.equal(peppers.digests('lk_x').length, 2);
    await assert.rejects(stat(file), { code: 'ENOENT' });
  });

  test('that are lost while tokens need them stop the start, and none is made', async () => {
    await open();
    await rm(file);
    assert.match(
      await refusal(open(['old'])),
      /pepper file .*data\/pepper .*missing: put it back from a backup, or copy it from .* a gateway/,
    );
    await assert.rejects(stat(file), { code: 'ENOENT' });
  });

  test('that are not among those configured stop the start', async () => {
    const message = await refusal(open(['old', 'a'], [{ id: 'a', secret: 'x' }]));
    assert.match(message, /pepper "old".*not among the configured/);
  });

  test('can be rotated by a line at the top of the file', async () => {
    const before = await open();
    const secret = Buffer.from(systemRandom(32)).toString('base64url');
    await writeFile(file, `new ${secret}\n${await readFile(file, 'utf8')}`);
    const after = await open([before.current]);
    assert.equal(after.current, 'new');
    assert.deepEqual(after.digests('lk_x')[1], before.digest('lk_x'));
  });

  for (const [what, text] of [
    ['empty', ''],
    ['with a short secret', 'a short\n'],
    ['with one id twice', `a ${'x'.repeat(43)}\na ${'y'.repeat(43)}\n`],
    ['binary', '\0\0\0\0'],
  ] as const) {
    test(`in a file that is ${what} stop the start without showing it`, async () => {
      await open();
      await writeFile(file, text);
      const message = await refusal(open());
      assert.match(message, /damaged/);
      assert.ok(!message.includes('x'.repeat(43)));
    });
  }
});
