import type { ShownSession } from '../../management/sessions.ts';
import { browserName, clientName } from './client-names.ts';
import type { Frame } from './frame.ts';
import { html, type Markup, type Piece } from './markup.ts';

/** A line about one browser session, for the person and for admins; `end` is the form that signs it out. */
export function sessionLine(frame: Frame, session: ShownSession, end: Piece): Markup {
  const { texts, moments, now } = frame;
  const words = texts.devices;
  return html`<li><div><strong>${browserLabel(frame, session.client)}</strong>${session.isCurrent && html` <span class="badge good">${words.current}</span>`}
<span class="sub">${words.seen} ${moments.relativeTag(session.seenAt, now)} · ${texts.tokens.from(session.address)} · ${words.signedInAt} ${moments.dayTag(session.createdAt)}</span></div>${end}</li>`;
}

/** What a browser is called; its User-Agent is in nobody's interest. */
export function browserLabel({ texts }: Frame, client: string | null): string {
  const words = texts.devices;
  if (client === null) return words.unknownBrowser;
  const known = browserName(client);
  if (known === null) return clientName(client);
  return known.system === null ? known.browser : words.on(known.browser, known.system);
}
