import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { test } from 'node:test';
import type { TokenId } from '../../../src/core/ids.ts';
import { type AccessRecord, createAccessLog } from '../../../src/telemetry/access-log.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { LogOutput } from '../../../src/telemetry/log-output.ts';

const clock = { now: () => 1_800_000_000_000, monotonic: () => 0 };

function capture(): { readonly output: LogOutput; readonly lines: () => Promise<readonly unknown[]> } {
  let text = '';
  const stream = new Writable({
    write(chunk, _encoding, callback) {
      text += String(chunk);
      callback();
    },
  });
  const output = new LogOutput({ stream, clock });
  return {
    output,
    lines: async () => {
      await output.close();
      assert.ok(text === '' || text.endsWith('\n'));
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
    },
  };
}

const record: AccessRecord = {
  requestId: '0198c5d0e1f2',
  method: 'GET',
  route: 'files',
  status: 200,
  outcome: 'ok',
  userName: 'alice "the\nadmin"',
  tokenId: '0198c5d0-e1f2-7abc-8def-0123456789ab' as TokenId,
  clientAddress: '192.0.2.7',
  bytesIn: 0,
  bytesOut: 1024,
  durationMs: 1.23456789,
  decisionMs: 0.0123456,
  backendMs: 1.1,
  reason: null,
  tier: 'l1',
};

test('a log line is JSON with level, time, fields and message', async () => {
  const { output, lines } = capture();
  const log = createLog({ level: 'info', output, clock });
  log.debug({}, 'not asked for');
  log.info({ port: 8080 }, 'listening');
  log.warn({}, 'careful');
  assert.deepEqual(await lines(), [
    { level: 'info', time: 1_800_000_000_000, port: 8080, msg: 'listening' },
    { level: 'warn', time: 1_800_000_000_000, msg: 'careful' },
  ]);
});

test('an error is told with code and causes, and without what drivers hang on it', async () => {
  const { output, lines } = capture();
  const log = createLog({ level: 'error', output, clock });
  const cause = Object.assign(new Error('WRONGPASS'), { command: { name: 'auth', args: ['hunter2'] } });
  const error = Object.assign(new Error('Redis refused', { cause }), {
    code: 'ERR_REDIS',
    headers: { authorization: 'Basic aHVudGVyMg==' },
  });
  log.error({ error }, 'cannot connect');
  const [line] = await lines();
  assert.partialDeepStrictEqual(line, {
    msg: 'cannot connect',
    error: {
      name: 'Error',
      message: 'Redis refused',
      code: 'ERR_REDIS',
      cause: { name: 'Error', message: 'WRONGPASS' },
    },
  });
  assert.doesNotMatch(JSON.stringify(line), /hunter2|aHVudGVyMg|command|headers/);
});

test('what was thrown without being an error, and causes without end, are told too', async () => {
  const { output, lines } = capture();
  const log = createLog({ level: 'error', output, clock });
  const loop = new Error('loop');
  loop.cause = loop;
  log.error({ error: 'just text' }, 'thrown');
  log.error({ error: loop }, 'thrown');
  const [text, looped] = await lines();
  assert.partialDeepStrictEqual(text, { error: 'just text' });
  assert.partialDeepStrictEqual(looped, { error: { message: 'loop', cause: { message: 'loop' } } });
});

test('an access line has the documented fields, durations to the microsecond', async () => {
  const { output, lines } = capture();
  createAccessLog({ output, clock }).record(record);
  assert.deepEqual(await lines(), [
    {
      level: 'info',
      time: 1_800_000_000_000,
      access: { ...record, durationMs: 1.235, decisionMs: 0.012 },
    },
  ]);
});

test('an access line carries nothing else that the record happens to hold', async () => {
  const { output, lines } = capture();
  const careless = { ...record, path: '/dav/secret', authorization: 'Basic x', query: 'session=1' };
  createAccessLog({ output, clock }).record(careless);
  const [line] = await lines();
  assert.deepEqual(line, {
    level: 'info',
    time: 1_800_000_000_000,
    access: { ...record, durationMs: 1.235, decisionMs: 0.012 },
  });
});

test('an access line of an unrouted, unanswered request says so with nulls and zeros', async () => {
  const { output, lines } = capture();
  const nothing: AccessRecord = {
    ...record,
    route: null,
    status: 0,
    outcome: 'aborted',
    userName: null,
    tokenId: null,
    backendMs: 0,
    reason: null,
    tier: 'none',
  };
  createAccessLog({ output, clock }).record(nothing);
  assert.partialDeepStrictEqual((await lines())[0], {
    access: { route: null, status: 0, outcome: 'aborted', userName: null, tokenId: null, backendMs: 0 },
  });
});
