import { checkDecodedPath, pathToText } from '../../../core/path.ts';
import type { BrowsableRoute, Collection } from '../../../management/collections.ts';
import { type CarriedFields, carried } from '../confirm-page.ts';
import type { Frame } from '../frame.ts';
import { csrfField, renderPage } from '../layout.ts';
import { html, type Markup, type Piece } from '../markup.ts';

/** Where somebody looks for a folder. */
export interface FolderView {
  /** The form for the token, to which everything is sent back. */
  readonly action: string;
  /** What was typed there so far. */
  readonly fields: CarriedFields;
  /** The folder in view, decoded, with a slash at its end; null: the choice of places. */
  readonly path: string | null;
  /** Where the place begins that `path` lies in. */
  readonly top: string | null;
  readonly places: readonly BrowsableRoute[];
  /** Null where the folder cannot be shown. */
  readonly folders: readonly Collection[] | null;
}

/** Looks through folders: every folder is a button of the one form that carries along what was typed. */
export function renderFolders(frame: Frame, view: FolderView): Markup {
  const words = frame.texts.folder;
  return renderPage(frame, {
    title: words.title,
    section: 'tokens',
    body: html`<div class="narrow stack">
<h1>${words.title}</h1>
<p class="lead">${words.lead}</p>
<form method="post" action="${view.action}" class="card form">
${csrfField(frame)}${carried(view.fields)}
${view.path === null ? placeList(frame, view.places) : folderList(frame, view, view.path)}
<div class="actions"><button class="button" name="step" value="back">${words.back}</button></div>
</form>
</div>`,
  });
}

/** The text form of a decoded folder, as scopes and steps carry it; null where it is no usable path. */
export function folderText(path: string): string | null {
  const checked = checkDecodedPath(path);
  return typeof checked === 'string' ? pathToText(checked) : null;
}

function folderList(frame: Frame, view: FolderView, path: string): Piece {
  const words = frame.texts.folder;
  const text = folderText(path);
  const up = view.path === view.top ? '' : `${path.split('/').slice(0, -2).join('/')}/`;
  return html`<p>${words.where} <strong class="mono">${path}</strong></p>
<div class="actions">
<button class="button primary" name="step" value="choose:r:${text}">${words.chooseRead}</button>
<button class="button primary" name="step" value="choose:rw:${text}">${words.chooseBoth}</button>
</div>
<ul class="folders">
<li>${step(`browse:${up === '' ? '' : (folderText(up) ?? '')}`, up === '' ? words.top : words.up, null)}</li>
${view.folders?.map((folder) => {
  const target = folderText(folder.path);
  return target !== null && html`<li>${step(`browse:${target}`, folder.name, words.open(folder.name))}</li>`;
})}
</ul>
${view.folders === null && html`<p class="message warn">${words.unreadable}</p>`}
${view.folders?.length === 0 && html`<p class="soft">${words.none}</p>`}`;
}

function placeList(frame: Frame, places: readonly BrowsableRoute[]): Piece {
  const words = frame.texts.folder;
  if (places.length === 0) return html`<p class="message">${words.noPlaces}</p>`;
  return html`<ul class="folders">${places.map(
    ({ name, path }) =>
      html`<li>${step(`browse:${folderText(path) ?? ''}`, `${name} (${path})`, words.open(name))}</li>`,
  )}</ul>`;
}

function step(value: string, label: string, name: string | null): Markup {
  return html`<button class="folder${name === null && ' up'}" name="step" value="${value}"${name !== null && html` aria-label="${name}"`}>${label}</button>`;
}
