import type { Frame } from './frame.ts';

/** What happened, in words; the name of the event where it has none. */
export function eventName({ texts }: Frame, action: string): string {
  return Object.hasOwn(texts.events, action) ? (texts.events[action] ?? action) : action;
}
