import { localSource } from '../../../identity/user-store.ts';
import type { ShownUser } from '../../../management/people.ts';
import type { Frame } from '../frame.ts';
import { html, type Markup } from '../markup.ts';

/** Whether a user may come in, in a word. */
export function userBadge({ texts }: Frame, user: ShownUser): Markup {
  const words = texts.users;
  if (user.disabled) return html`<span class="badge bad">${words.disabled}</span>`;
  if (user.lapsed) return html`<span class="badge warn">${words.lapsed}</span>`;
  return html`<span class="badge good">${words.active}</span>`;
}

/** What vouches for a user. */
export function sourceName({ texts }: Frame, user: ShownUser): string {
  return user.source === localSource ? texts.users.local : user.source;
}
