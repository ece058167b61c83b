import { apiPath, sitePath } from '../../core/site-path.ts';
import type { ApiDocument } from './api-context.ts';
import { html, type Markup, prose } from './docs-markup.ts';
import { type DocumentedOperation, groupsOf, operationSection } from './docs-operations.ts';
import { schemaSections } from './docs-schemas.ts';
import { problemKinds } from './problem-kinds.ts';

/** The document as a page: everything in one place, by headings and anchors, without scripts. */
export function docsPage(document: ApiDocument, styleAddress: string): Markup {
  const groups = [...groupsOf(document)];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API · Latchkey</title>
<link rel="stylesheet" href="${styleAddress}">
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<header>
<p><a class="brand" href="${sitePath}/">Latchkey</a></p>
<nav aria-label="On this page">
<ul>
${guides.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}
<li><a href="#schemas">Bodies</a></li>
<li><a href="#problems">Problems</a></li>
</ul>
<div class="groups">
${groups.map(groupLinks)}
</div>
</nav>
</header>
<main id="content" tabindex="-1">
<h1>API</h1>
<p class="lead">${prose(document.info.description ?? '')} The same as OpenAPI 3.1: <a href="${apiPath}/openapi.json">openapi.json</a>.</p>
${guides.map(([id, title, paragraphs]) => guideSection(id, title, paragraphs))}
${groups.map(([group, operations]) => groupSection(group, operations))}
<section aria-labelledby="schemas">
<h2 id="schemas">Bodies</h2>
${schemaSections(document)}
</section>
<section aria-labelledby="problems">
<h2 id="problems">Problems</h2>
<p>Every no is <code>application/problem+json</code> (RFC 9457). Programs look at <code>code</code>, people read <code>detail</code>; <code>errors</code> names each field or parameter that is wrong, never what stood in it.</p>
<dl class="answers">
${Object.entries(problemKinds).map(
  ([code, { status, detail }]) => html`<div id="problem-${code}">
<dt><code>${code}</code> ${status}</dt>
<dd>${detail}</dd>
</div>
`,
)}
</dl>
</section>
</main>
</body>
</html>
`;
}

type Guide = readonly [id: string, title: string, paragraphs: readonly string[]];

const guides: readonly Guide[] = [
  [
    'callers',
    'Who may ask',
    [
      'Scripts send an admin key: `Authorization: Bearer lka_…`. It is made on the command line, by `latchkey key create`, has scopes (`users`, `tokens`, `audit`) and may expire.',
      'Pages use the session cookie of the person who signed in. Whatever changes something then needs the header `X-CSRF-Token`, with the `csrfToken` of `GET /v1/session`, and a confirmation that is not older than a few minutes: `POST /v1/session/confirm`.',
      'App tokens are refused everywhere but at `/v1/self`, where a token may ask what it is, and revoke itself. Of two credentials at once none counts.',
    ],
  ],
  [
    'conventions',
    'What holds everywhere',
    [
      'Moments are RFC 3339 text; answers give them in UTC. Durations are whole seconds. In a body that changes something, what is left out stays, and `null` takes away.',
      'A body is JSON of at most 64 KiB with `Content-Type: application/json`. Fields and parameters that are not known are refused by name, and all problems of a body are told at once.',
      'Lists come in pages. `next` is `after` of the following page, and the `Link` header has its address (RFC 8288). On the last page `next` is `null` and there is no `Link`.',
    ],
  ],
  [
    'edits',
    'Edits and repetition',
    [
      'What can be edited has an `ETag`. Sent along as `If-Match`, it keeps an edit from overwriting another: the answer is then 412, `stale`. Without it the last edit wins; the policy always needs it.',
      'What makes something takes an `Idempotency-Key`: the same request with the same key, within 24 hours, is answered as the first time and makes nothing twice. Take a random UUID. The gateway keeps that answer sealed under the key, which it does not keep.',
    ],
  ],
];

function guideSection(id: string, title: string, paragraphs: readonly string[]): Markup {
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${paragraphs.map((paragraph) => html`<p>${prose(paragraph)}</p>`)}
</section>
`;
}

function groupLinks([group, operations]: readonly [string, readonly DocumentedOperation[]]): Markup {
  return html`<div>
<p class="group">${group}</p>
<ul aria-label="${group}">
${operations.map(({ operationId, summary }) => html`<li><a href="#${operationId}">${summary}</a></li>`)}
</ul>
</div>
`;
}

function groupSection(group: string, operations: readonly DocumentedOperation[]): Markup {
  const id = `group-${group.toLowerCase().replaceAll(' ', '-')}`;
  return html`<section aria-labelledby="${id}">
<h2 id="${id}">${group}</h2>
${operations.map(operationSection)}
</section>
`;
}
