import type { ShownSession } from '../../../management/sessions.ts';
import type { ShownToken } from '../../../management/tokens.ts';
import { clientName } from '../client-names.ts';
import type { Frame } from '../frame.ts';
import { csrfField, renderPage } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { paths, withQuery } from '../paths.ts';
import { browserLabel, sessionLine } from '../session-line.ts';

/** Everything that is connected as one person. */
export interface DevicesView {
  /** Tokens that have been used, the most recent first. */
  readonly devices: readonly ShownToken[];
  readonly sessions: readonly ShownSession[];
}

/** Devices & sessions: apps that use a token, and browsers that are signed in. */
export function renderDevices(frame: Frame, view: DevicesView): Markup {
  const { devices: words } = frame.texts;
  return renderPage(frame, {
    title: words.title,
    section: 'devices',
    body: html`<div class="narrow stack">
<h1>${words.title}</h1>
<p class="lead">${words.lead}</p>
<section class="card stack" aria-labelledby="apps">
<div><h2 id="apps">${words.apps}</h2><p class="soft">${words.appsLead}</p></div>
${
  view.devices.length === 0
    ? html`<p>${words.noApps}</p>`
    : html`<ul class="devices">${view.devices.map((token) => device(frame, token))}</ul>`
}
</section>
<section class="card stack" aria-labelledby="browsers">
<div><h2 id="browsers">${words.browsers}</h2><p class="soft">${words.browsersLead}</p></div>
<ul class="devices">${view.sessions.map((session) => browser(frame, session))}</ul>
${everywhere(frame, view.sessions)}
</section>
</div>`,
  });
}

function device(frame: Frame, token: ShownToken): Markup {
  const { texts, moments, now } = frame;
  const words = texts.devices;
  const { lastUsedClient: client, lastUsedAddress: address, lastUsedAt } = token;
  const name = client === null ? words.unknownApp : clientName(client);
  const revoke = withQuery(paths.revoke(token.id), { next: paths.devices });
  return html`<li><div><strong${client !== null && html` title="${client}"`}>${name}</strong>
<span class="sub"><a href="${paths.token(token.id)}">${words.withToken(token.name)}</a></span>
<span class="sub">${lastUsedAt !== null && moments.relativeTag(lastUsedAt, now)}${address !== null && html` · ${texts.tokens.from(address)}`}</span></div>
<a class="button danger compact" href="${revoke}" data-dialog aria-label="${words.disconnectNamed(token.name)}">${words.disconnect}</a></li>`;
}

function browser(frame: Frame, session: ShownSession): Markup {
  const { devices: words } = frame.texts;
  const label = browserLabel(frame, session.client);
  return sessionLine(
    frame,
    session,
    html`<form method="post" action="${paths.endSession(session.id)}">${csrfField(frame)}<button class="button compact" aria-label="${words.endNamed(label)}">${words.end}</button></form>`,
  );
}

function everywhere(frame: Frame, sessions: readonly ShownSession[]): Piece {
  const { devices: words } = frame.texts;
  if (sessions.length < 2) return html`<p class="soft">${words.onlyThis}</p>`;
  return html`<form method="post" action="${paths.endAllSessions}" class="actions">${csrfField(frame)}
<button class="button danger" name="here" value="no">${words.endAll}</button>
<button class="button" name="here" value="yes">${words.endAllToo}</button></form>`;
}
