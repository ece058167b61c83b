/** Which end of a day a date without a time stands for. */
export type DayEdge = 'start' | 'end';

/**
 * The moment that a date field (`2027-01-31`) or a date-time field (`2027-01-31T18:00`) names in the gateway's time
 * zone; a date alone is the start or the end of that day. Null for every other text and for days that do not exist.
 */
export function readLocalDate(text: string, edge: DayEdge): number | null {
  const parts = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d))?$/.exec(text.trim());
  if (parts === null) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = parts.slice(1).map(Number);
  const start = new Date(year, month - 1, day);
  // 31 April rolls over into May: that is a typing error, not a date.
  if (start.getMonth() !== month - 1 || start.getDate() !== day || hour > 23 || minute > 59) return null;
  if (parts[4] !== undefined) return new Date(year, month - 1, day, hour, minute).getTime();
  return edge === 'start' ? start.getTime() : new Date(year, month - 1, day + 1).getTime();
}

/** The day of a moment as a date field wants it. */
export function toDateField(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
