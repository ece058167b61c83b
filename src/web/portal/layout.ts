import { manages } from '../../management/caller.ts';
import type { Frame } from './frame.ts';
import { html, type Markup, type Piece } from './markup.ts';
import { paths, withQuery } from './paths.ts';

/** Which entry of the navigation a page belongs to. */
export type Section = 'tokens' | 'devices' | 'account' | 'users' | 'allTokens' | 'policy' | 'audit';

/** One page of somebody who is signed in. */
export interface PageContent {
  readonly title: string;
  readonly section: Section | null;
  readonly body: Piece;
  /** True where a form came back with errors: the title says so first. */
  readonly hasErrors?: boolean;
}

/** A whole page with navigation, for those who are signed in. */
export function renderPage(frame: Frame, page: PageContent): Markup {
  const { texts, person } = frame;
  if (person === null) return renderDoor(frame, page);
  const own: readonly Section[] = ['tokens', 'devices', 'account'];
  const admin: readonly Section[] = ['users', 'allTokens', 'policy', 'audit'];
  const isAdmin = manages(person, 'users');
  const name = person.user.displayName ?? person.user.name;
  return shell(
    frame,
    page,
    html`<div class="shell">
<header class="side"><div>
${brand(frame)}
<nav class="nav" aria-label="${texts.frame.nav}">
${entries(frame, own, page.section)}
${isAdmin && html`<h2 id="admin-nav">${texts.frame.adminNav}</h2>${entries(frame, admin, page.section)}`}
</nav>
<div class="me">
<strong>${name}</strong>
${name !== person.user.name && html`<span class="login">${person.user.name}</span>`}
<form method="post" action="${paths.signOut}">${csrfField(frame)}<button class="text-button">${texts.frame.signOut}</button></form>
</div>
</div></header>
<div class="page">
<main id="content" tabindex="-1">
${doneMessage(frame)}
${page.body}
</main>
${foot(frame)}
</div>
</div>`,
  );
}

/** A page before the door: sign-in, one-time links, and errors of nobody in particular. */
export function renderDoor(frame: Frame, page: PageContent): Markup {
  return shell(
    frame,
    page,
    html`<div class="door">
<main id="content" tabindex="-1">
${brand(frame)}
${doneMessage(frame)}
${page.body}
</main>
${foot(frame)}
</div>`,
  );
}

/** The hidden field that tells our forms from those of other sites. */
export function csrfField(frame: Frame): Markup {
  return html`<input type="hidden" name="csrf" value="${frame.csrf}">`;
}

function shell(frame: Frame, page: PageContent, body: Markup): Markup {
  const { texts, assets, language } = frame;
  const title = page.hasErrors === true ? texts.frame.errorTitle(page.title) : page.title;
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${texts.frame.product}</title>
<link rel="icon" href="${assets}/mark.svg" type="image/svg+xml">
<link rel="stylesheet" href="${assets}/portal.css">
<link rel="stylesheet" href="${assets}/parts.css">
<link rel="stylesheet" href="${assets}/forms.css">
<script type="module" src="${assets}/portal.js"></script>
</head>
<body>
<a class="skip" href="#content">${texts.frame.skip}</a>
${body}
</body>
</html>
`;
}

function brand({ texts, assets }: Frame): Markup {
  return html`<a class="brand" href="${paths.tokens}"><img src="${assets}/mark.svg" alt="" width="30" height="30">${texts.frame.product}</a>`;
}

function entries({ texts }: Frame, sections: readonly Section[], current: Section | null): Markup {
  return html`<ul>${sections.map(
    (section) =>
      html`<li><a href="${paths[section]}"${section === current && html` aria-current="page"`}>${texts.frame[section]}</a></li>`,
  )}</ul>`;
}

function doneMessage({ done }: Frame): Piece {
  return done !== null && html`<p class="message good" role="status">${done}</p>`;
}

function foot(frame: Frame): Markup {
  const { texts, productVersion, person } = frame;
  return html`<footer class="foot">
${languageLink(frame)}
${person !== null && html`<a href="${paths.apiPage}">${texts.frame.api}</a>`}
<span>${texts.frame.version(productVersion)}</span>
</footer>`;
}

/** This page in the other language; an answer to a form could not be had again. */
function languageLink({ texts, language, address }: Frame): Piece {
  if (address === null) return null;
  const other = language === 'en' ? 'de' : 'en';
  const label = other === 'de' ? texts.frame.german : texts.frame.english;
  const [path = '', query = ''] = address.split('?');
  const kept = Object.fromEntries([...new URLSearchParams(query)].filter(([name]) => name !== 'done'));
  const href = withQuery(path, { ...kept, lang: other });
  return html`<a href="${href}" lang="${other}" hreflang="${other}">${label}</a>`;
}
