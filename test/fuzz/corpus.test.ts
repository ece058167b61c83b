import assert from 'node:assert/strict';
import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readInputs } from './engine/corpus.ts';
import type { FuzzTarget } from './engine/target.ts';

const targets = globSync('*.ts', { cwd: import.meta.dirname })
  .map((file) => basename(file, '.ts'))
  .filter((name) => !name.endsWith('.test'))
  .toSorted();

test('there is something to fuzz', () => assert.ok(targets.length >= 7));

for (const name of targets) {
  describe(`what the fuzz target ${name} promises`, async () => {
    const target = (await import(`./${name}.ts`)) as FuzzTarget;
    const inputs = readInputs(join(import.meta.dirname, 'corpus', name));

    test('holds for every input of its corpus', async () => {
      assert.ok(inputs.size > 0, 'the corpus is not empty');
      for (const [file, input] of inputs) {
        await assert.doesNotReject(async () => target.fuzz(input), `test/fuzz/corpus/${name}/${file}`);
      }
    });

    test('holds for inputs put together from pieces of them', async () => {
      const pieces = [...inputs.values()].flatMap(pieceBytes);
      const words = (target.words ?? []).map((word) => Buffer.from(word));
      const piece = fc.oneof(
        { weight: 8, arbitrary: fc.constantFrom(...pieces) },
        { weight: 2, arbitrary: fc.constantFrom(...pieces, ...words) },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)) },
      );
      await fc.assert(
        fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 12 }), async (parts) => {
          await target.fuzz(Buffer.concat(parts));
        }),
        { numRuns: 400 },
      );
    });
  });
}

/** Lines, and words with what stands between them. */
function pieceBytes(input: Buffer): readonly Buffer[] {
  const text = input.toString('latin1');
  const pieces = [...text.split(/(?<=\n)/), ...text.split(/(?<=[/:;,<>?&= ])/)];
  return pieces.map((piece) => Buffer.from(piece, 'latin1'));
}
