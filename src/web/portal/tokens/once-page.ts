import type { FreshToken } from '../../../management/tokens.ts';
import { copyField } from '../copy-field.ts';
import type { Frame } from '../frame.ts';
import { renderPage } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { paths } from '../paths.ts';
import type { Credentials } from './commands.ts';
import { guides } from './guides.ts';
import type { ServerAddress } from './server-addresses.ts';

/** A token just made or renewed. */
export interface OnceView {
  readonly fresh: FreshToken;
  readonly addresses: readonly ServerAddress[];
  readonly isRenewed: boolean;
  /** Where "Done" leads. */
  readonly done: string;
}

/** The one time that a token's value is shown: what to copy, how to connect, and whether it worked. */
export function renderOnce(frame: Frame, view: OnceView): Markup {
  const { once: words } = frame.texts;
  const { token, value } = view.fresh;
  const title = view.isRenewed ? words.renewedTitle(token.name) : words.title(token.name);
  const [main, ...others] = view.addresses;
  const credentials: Credentials = {
    url: main?.url ?? `${frame.origin}/`,
    userName: token.ownerName,
    token: value,
  };
  const named = (address: ServerAddress): string =>
    others.length === 0 ? words.server : words.serverOf(address.routeName);
  return renderPage(frame, {
    title,
    section: 'tokens',
    body: html`<div class="narrow stack" data-settle="${paths.token(token.id)}">
<h1>${title}</h1>
<section class="card once stack">
<p>${view.isRenewed ? words.renewedLead : words.lead}</p>
${!token.enabled && html`<p class="message warn">${words.isOff}</p>`}
${view.addresses.map((address, at) => copyField(frame, { id: `server-${at}`, label: named(address), value: address.url }))}
${copyField(frame, { id: 'user', label: words.user, value: token.ownerName, hint: words.userHint })}
${copyField(frame, { id: 'token', label: words.token, value, hint: words.tokenHint, isSecret: true })}
<div class="actions">${download(frame, token.name, credentials, view.addresses)}<a class="button" href="${view.done}">${words.done}</a></div>
</section>
${firstUse(frame, view.fresh)}
<section class="card stack">
<h2>${words.guides}</h2>
<p class="soft">${words.guidesLead}</p>
${guides(frame, credentials)}
</section>
</div>`,
  });
}

/** A line that a script keeps up to date; without one, a link to where it can be seen. */
function firstUse(frame: Frame, { token }: FreshToken): Piece {
  const { once: words } = frame.texts;
  return html`<div class="stack-s">
<p class="connection" role="status" data-first-use="${paths.firstUse(token.id, frame.now)}">${words.waiting}</p>
<p class="hint"><a href="${paths.token(token.id)}">${words.seeToken}</a></p>
</div>`;
}

/** The file is in the link: nothing has to be kept for it, and it works without scripts. */
function download(
  { texts }: Frame,
  name: string,
  { userName, token }: Credentials,
  addresses: readonly ServerAddress[],
): Markup {
  const { once: words } = texts;
  const lines = [
    words.file.heading,
    '',
    `${words.file.name}: ${name}`,
    ...addresses.map(({ url }) => `${words.server}: ${url}`),
    `${words.user}: ${userName}`,
    `${words.token}: ${token}`,
    '',
  ];
  const href = `data:text/plain;charset=utf-8,${encodeURIComponent(lines.join('\r\n'))}`;
  const safeName = name.replace(/[^\p{L}\p{N} _-]+/gu, '-').slice(0, 60);
  return html`<a class="button" href="${href}" download="${words.fileName(safeName)}">${words.download}</a>`;
}
