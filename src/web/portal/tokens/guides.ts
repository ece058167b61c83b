import type { Frame } from '../frame.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import {
  bearerCommand,
  type Credentials,
  curlCommand,
  davfsMount,
  davfsSecret,
  gnomeAddress,
  nextcloudLink,
  rcloneCommand,
  windowsCommand,
} from './commands.ts';

/** How to connect with each client, filled in. */
export function guides(frame: Frame, credentials: Credentials): Markup {
  const { guides: words } = frame.texts;
  const isPlain = credentials.url.startsWith('http:');
  return html`<div>
${guide(words.finder.title, html`${steps(words.finder.steps)}${note(words.finder.note)}`)}
${guide(
  words.windows.title,
  html`${isPlain && html`<p class="message warn">${words.windows.needsHttps}</p>`}${steps(words.windows.steps)}<p>${words.windows.command}</p>${command(frame, 'windows', windowsCommand(credentials))}${note(words.windows.note)}`,
)}
${guide(words.gnome.title, gnome(frame, credentials))}
${guide(words.rclone.title, html`<p>${words.rclone.command}</p>${command(frame, 'rclone', rcloneCommand(credentials))}${note(words.rclone.note)}`)}
${guide(
  words.davfs2.title,
  html`<p>${words.davfs2.secrets}</p>${command(frame, 'davfs-secret', davfsSecret(credentials))}<p>${words.davfs2.mount}</p>${command(frame, 'davfs-mount', davfsMount(credentials))}${note(words.davfs2.note)}`,
)}
${guide(
  words.curl.title,
  html`<p>${words.curl.command}</p>${command(frame, 'curl', curlCommand(credentials))}<p>${words.curl.bearer}</p>${command(frame, 'bearer', bearerCommand(credentials))}`,
)}
${guide(words.davx5.title, html`${steps(words.davx5.steps)}${note(words.davx5.note)}`)}
${guide(
  words.nextcloud.title,
  html`${steps(words.nextcloud.steps)}<p><a href="${nextcloudLink(credentials)}">${words.nextcloud.open}</a></p>`,
)}
${guide(words.other.title, steps(words.other.steps))}
</div>`;
}

function gnome(frame: Frame, credentials: Credentials): Markup {
  const { gnome: words } = frame.texts.guides;
  const address = gnomeAddress(credentials);
  const [first, ...rest] = words.steps;
  return html`<p>${first}</p>${command(frame, 'gnome', address)}${rest.map((step) => html`<p>${step}</p>`)}<p><a href="${address}">${words.open}</a></p>`;
}

function guide(title: string, body: Piece): Markup {
  return html`<details class="guide"><summary>${title}</summary><div class="stack-s">${body}</div></details>`;
}

function steps(sentences: readonly string[]): Markup {
  return html`<ol>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ol>`;
}

function note(sentence: string): Markup {
  return html`<p class="soft small">${sentence}</p>`;
}

/** A command with a button that copies it. */
function command(frame: Frame, id: string, text: string): Markup {
  const { once: words } = frame.texts;
  return html`<div class="stack-s"><pre class="command"><code id="${id}">${text.split(' ').map((word, at) => html`${at > 0 && ' '}<span>${word}</span>`)}</code></pre>
<div class="row"><button type="button" class="button compact" hidden data-copy="${id}" data-result="${id}-result" data-copied="${words.copied(words.command)}" data-selected="${words.selected(words.command)}">${words.copy}</button><span class="hint" id="${id}-result" role="status"></span></div></div>`;
}
