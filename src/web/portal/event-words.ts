import type { Frame } from './frame.ts';

/** Who did something, as people call them: `user:alice`, `key:backup`, `cli:root`, `gateway`. */
export function actorName({ texts }: Frame, actor: string): string {
  const words = texts.actor;
  const [kind = '', ...rest] = actor.split(':');
  const name = rest.join(':');
  if (kind === 'user') return name;
  if (kind === 'key') return words.key(name);
  if (kind === 'cli') return words.commandLine(name);
  return actor === 'gateway' ? words.gateway : actor;
}

/** What happened, in words; the name of the event where it has none. */
export function eventName({ texts }: Frame, action: string): string {
  return Object.hasOwn(texts.events, action) ? (texts.events[action] ?? action) : action;
}
