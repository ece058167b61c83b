/**
 * Loaded before a program (`node --import`), so that a test can set that one process's wall clock, as an
 * administrator or NTP would: at SIGUSR2 it is put off by the milliseconds that stand in the file which
 * TEST_CLOCK_FILE names. The monotonic clock and timers stay as they are.
 */
import { readFileSync } from 'node:fs';

const { now } = Date;
let offMs = 0;

Date.now = () => now() + offMs;
globalThis.Date = new Proxy(Date, {
  construct: (target, args: readonly unknown[], made) =>
    Reflect.construct(target, args.length === 0 ? [Date.now()] : args, made) as Date,
});

process.on('SIGUSR2', () => {
  offMs = Number(readFileSync(process.env['TEST_CLOCK_FILE'] ?? '', 'utf8'));
  process.stderr.write(`clock set off by ${offMs} ms\n`);
});
