import type { ShownEvent } from '../../../management/audit.ts';
import type { Frame } from '../frame.ts';

/** The facts of an event on one line; moments as people read them. */
export function detailsInWords({ moments }: Frame, details: ShownEvent['details']): string {
  const inWords = (name: string, value: unknown): string => {
    if (typeof value === 'string') return value;
    const isMoment = typeof value === 'number' && value > 1e11 && /(At|until|notBefore)$/.test(name);
    return isMoment ? moments.exact(value) : JSON.stringify(value);
  };
  return Object.entries(details)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${name}: ${inWords(name, value)}`)
    .join(', ');
}

/** The first line of the CSV file. */
export const csvHead: string = `${['at', 'action', 'actor', 'userId', 'userName', 'tokenId', 'details'].join(',')}\r\n`;

/** One event as a line of CSV (RFC 4180). */
export function csvLine(event: ShownEvent): string {
  const { at, action, actor, userId, userName, tokenId, details } = event;
  const fields = [
    new Date(at).toISOString(),
    action,
    actor,
    userId,
    userName,
    tokenId,
    JSON.stringify(details),
  ];
  return `${fields.map((field) => csvField(field ?? '')).join(',')}\r\n`;
}

/** One event as a line of JSON. */
export function jsonLine(event: ShownEvent): string {
  return `${JSON.stringify({ ...event, at: new Date(event.at).toISOString() })}\n`;
}

/**
 * Spreadsheets run what begins like a formula, and names of tokens are other people's words: an apostrophe in front
 * makes it a text again.
 */
function csvField(text: string): string {
  const safe = /^[\s]*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
