import type { Language } from '../../identity/user-store.ts';
import { html, type Markup } from './markup.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** A day of 24 hours. */
export const dayMs: number = 24 * hourMs;

const locales: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de-DE' };

/** Times in the words of one language, in the time zone of the gateway. */
export interface Moments {
  /** Day and time to the minute with the zone. */
  exact(at: number): string;
  /** The day alone. */
  day(at: number): string;
  /** How far from `now`: "3 days ago", "in 2 hours". */
  relative(at: number, now: number): string;
  /** "90 days", in the largest unit that divides it. */
  span(ms: number): string;
  /** A `<time>` that reads as `relative` and tells the exact moment when pointed at. */
  relativeTag(at: number, now: number): Markup;
  /** A `<time>` that reads as `exact`. */
  exactTag(at: number): Markup;
  /** A `<time>` that reads as `day` and tells the exact moment when pointed at. */
  dayTag(at: number): Markup;
}

/** See `Moments`. */
export function createMoments(language: Language): Moments {
  const locale = locales[language];
  const exact = new Intl.DateTimeFormat(locale, {
    ...{ day: 'numeric', month: 'short', year: 'numeric' },
    ...{ hour: '2-digit', minute: '2-digit', timeZoneName: 'short' },
  });
  const day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const inUnits = (unit: string): Intl.NumberFormat =>
    new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' });
  const units = { day: inUnits('day'), hour: inUnits('hour'), minute: inUnits('minute') };

  const moments: Moments = {
    exact: (at) => exact.format(at),
    day: (at) => day.format(at),
    relative: (at, now) => inWords(relative, at - now),
    span: (ms) => {
      if (ms % dayMs === 0) return units.day.format(ms / dayMs);
      if (ms % hourMs === 0) return units.hour.format(ms / hourMs);
      return units.minute.format(Math.max(1, Math.round(ms / minuteMs)));
    },
    relativeTag: (at, now) => tag(at, moments.relative(at, now), moments.exact(at)),
    exactTag: (at) => tag(at, moments.exact(at), null),
    dayTag: (at) => tag(at, moments.day(at), moments.exact(at)),
  };
  return moments;
}

function tag(at: number, words: string, title: string | null): Markup {
  const iso = new Date(at).toISOString();
  if (title === null) return html`<time datetime="${iso}">${words}</time>`;
  return html`<time datetime="${iso}" title="${title}">${words}</time>`;
}

function inWords(format: Intl.RelativeTimeFormat, differenceMs: number): string {
  const size = Math.abs(differenceMs);
  const round = (unitMs: number): number => Math.round(differenceMs / unitMs);
  if (size < minuteMs) return format.format(0, 'second');
  if (size < hourMs) return format.format(round(minuteMs), 'minute');
  if (size < dayMs) return format.format(round(hourMs), 'hour');
  if (size < 60 * dayMs) return format.format(round(dayMs), 'day');
  if (size < 730 * dayMs) return format.format(round(30.44 * dayMs), 'month');
  return format.format(round(365.25 * dayMs), 'year');
}
