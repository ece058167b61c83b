import { printable } from '../core/printable.ts';
import { CommandFailure, exitCodes } from './exit-codes.ts';

const unitMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  y: 365 * 86_400_000,
};

/** Words that take a limit away. */
const none = new Set(['none', 'never']);

/** Which end of a day a bare date stands for. */
export type DayEdge = 'start' | 'end';

/**
 * Milliseconds of `90s`, `15m`, `12h`, `30d`, `2w`, `1y` (365 days); null for `none` and `never`.
 * @throws CommandFailure (usage) naming the option.
 */
export function readDuration(option: string, text: string): number | null {
  if (none.has(text)) return null;
  const span = toSpan(text);
  if (span !== null) return span;
  throw new CommandFailure(
    exitCodes.usage,
    `${option} takes a time such as 12h, 30d or 1y, not "${printable(text)}".`,
  );
}

/**
 * The moment that a duration from now, a date-time or a date names; null for `none` and `never`. Without
 * an offset they are local; a bare date is the start or the end of that day, as the option means it.
 * @throws CommandFailure (usage) naming the option.
 */
export function readMoment(option: string, text: string, edge: DayEdge, now: number): number | null {
  if (none.has(text)) return null;
  const span = toSpan(text);
  if (span !== null) return now + span;
  const moment = /^\d{4}-\d\d-\d\d$/.test(text) ? toDayEdge(text, edge) : toDateTime(text);
  if (moment !== null) return moment;
  throw new CommandFailure(
    exitCodes.usage,
    `${option} takes a time from now such as 30d, or a date such as 2027-01-31 or 2027-01-31T18:00, not "${printable(text)}".`,
  );
}

/** A moment for people: local time with its offset, to the second. */
export function formatMoment(moment: number): string {
  const date = new Date(moment);
  const offset = -date.getTimezoneOffset();
  const two = (value: number): string => String(Math.trunc(Math.abs(value))).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time} ${offset < 0 ? '-' : '+'}${two(offset / 60)}:${two(offset % 60)}`;
}

/** A duration for people, in the largest unit that divides it. */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = unitMs[unit] ?? 1;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return `${ms}ms`;
}

function toSpan(text: string): number | null {
  const parts = /^(\d{1,9})([smhdwy])$/.exec(text);
  return parts === null ? null : Number(parts[1]) * (unitMs[parts[2] ?? ''] ?? Number.NaN);
}

function toDayEdge(text: string, edge: DayEdge): number | null {
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  const start = new Date(year, month - 1, day);
  // 31 April rolls over into May: that is a typing error, not a date.
  if (start.getMonth() !== month - 1 || start.getDate() !== day) return null;
  return edge === 'start' ? start.getTime() : new Date(year, month - 1, day + 1).getTime();
}

function toDateTime(text: string): number | null {
  if (!/^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?$/.test(text)) return null;
  if (toDayEdge(text.slice(0, 10), 'start') === null) return null;
  const moment = new Date(text.replace(' ', 'T')).getTime();
  return Number.isNaN(moment) ? null : moment;
}
