import assert from 'node:assert/strict';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import { LogOutput } from '../../../src/telemetry/log-output.ts';

const clock = { now: () => 1_800_000_000_000, monotonic: () => 0 };

/** A stream whose reader takes a chunk only when told to. */
function stalled(): {
  readonly stream: Writable;
  readonly chunks: string[];
  readonly release: (error?: Error) => void;
} {
  const chunks: string[] = [];
  let waiting: ((error?: Error) => void) | null = null;
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      chunks.push(String(chunk));
      waiting = callback;
    },
  });
  return {
    stream,
    chunks,
    release: (error) => {
      const callback = waiting;
      waiting = null;
      callback?.(error);
    },
  };
}

test('lines leave together and in order', async () => {
  const { stream, chunks, release } = stalled();
  const output = new LogOutput({ stream, clock });
  for (let index = 0; index < 100; index++) output.write(`${index}\n`);
  const flushed = output.flush();
  release();
  await flushed;
  assert.equal(chunks.length, 1);
  assert.equal(chunks[0], Array.from({ length: 100 }, (_, index) => `${index}\n`).join(''));
  await output.close();
});

test('a line alone leaves by itself', async () => {
  const taken = Promise.withResolvers<string>();
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      taken.resolve(String(chunk));
      callback();
    },
  });
  const output = new LogOutput({ stream, clock, flushMs: 1 });
  // The output's own timer does not keep a process alive.
  const keepAlive = setInterval(() => {}, 1_000);
  output.write('one\n');
  assert.equal(await taken.promise, 'one\n');
  clearInterval(keepAlive);
  await output.close();
});

test('a reader that stalls costs lines, counted and told, but no more memory than agreed', async () => {
  const { stream, chunks, release } = stalled();
  const output = new LogOutput({ stream, clock, pendingMax: 100_000 });
  const line = `${'x'.repeat(999)}\n`;
  for (let index = 0; index < 10_000; index++) output.write(line);
  assert.equal(chunks.length, 1, 'one write in flight');
  assert.ok(output.pendingLength <= 100_000);
  assert.ok(stream.writableLength <= 64 * 1024, 'nothing piles up in the stream');
  const lost = output.dropped;
  assert.ok(lost > 9_000);
  const flushed = output.flush();
  for (let turn = 0; turn < 5; turn++) {
    release();
    await new Promise(setImmediate);
  }
  await flushed;
  const text = chunks.join('');
  assert.equal(text.split('\n').filter((each) => each.startsWith('x')).length, 10_000 - lost);
  const told = text.split('\n').find((each) => each.startsWith('{'));
  assert.partialDeepStrictEqual(JSON.parse(told ?? ''), { level: 'warn', dropped: lost });
  await output.close();
});

test('a reader that is gone costs every further line, and nothing else', async () => {
  const { stream, chunks, release } = stalled();
  const output = new LogOutput({ stream, clock });
  output.write('one\n');
  const flushed = output.flush();
  release(new Error('EPIPE'));
  await flushed;
  for (let index = 0; index < 1_000; index++) output.write('two\n');
  await output.flush();
  assert.deepEqual(chunks, ['one\n']);
  assert.equal(output.pendingLength, 0);
  assert.equal(output.dropped, 1_000);
  await output.close();
});

test('closing waits no longer than its deadline for a reader that stalls', async () => {
  const { stream } = stalled();
  const output = new LogOutput({ stream, clock });
  output.write('one\n');
  await output.close(5);
  output.write('late\n');
  assert.equal(output.dropped, 1);
});

test('what waits at the end of the process still comes out, after a crash too', async () => {
  const source = `
    import { LogOutput } from ${JSON.stringify(new URL('../../../src/telemetry/log-output.ts', import.meta.url).href)};
    const output = new LogOutput({ stream: process.stdout, clock: { now: () => 0, monotonic: () => 0 } });
    output.write('last words\\n');
    throw new Error('crash');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  assert.equal(text, 'last words\n');
});

test('a process whose log nobody reads still ends', async () => {
  const source = `
    import { LogOutput } from ${JSON.stringify(new URL('../../../src/telemetry/log-output.ts', import.meta.url).href)};
    const output = new LogOutput({ stream: process.stdout, clock: { now: () => 0, monotonic: () => 0 } });
    for (let index = 0; index < 10_000; index++) output.write('x'.repeat(999) + '\\n');
    await output.close(10);
    process.exit(0);
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
});

test('beside other writers, no write is longer than one takes whole, and none ends within a line', async () => {
  const { stream, chunks, release } = stalled();
  const output = new LogOutput({ stream, clock, writeBytesMax: 100 });
  const lines = Array.from({ length: 40 }, (_, at) => `${'é'.repeat(at % 7)} line ${at}\n`);
  for (const line of lines) output.write(line);
  const long = `${'x'.repeat(300)}\n`;
  output.write(long);
  const flushed = output.flush();
  for (let written = 0; output.pendingLength > 0 || written < chunks.length; written = chunks.length)
    release();
  release();
  await flushed;
  assert.equal(chunks.join(''), [...lines, long].join(''));
  for (const chunk of chunks) {
    assert.ok(chunk.endsWith('\n'));
    assert.ok(chunk === long || Buffer.byteLength(chunk) <= 100, `${Buffer.byteLength(chunk)} bytes`);
  }
  assert.ok(chunks.length < lines.length / 2, `${chunks.length} writes`);
});
