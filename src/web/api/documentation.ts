import { createHash } from 'node:crypto';
import { apiPath } from '../../core/site-path.ts';
import type { ApiDocument, ApiRouter } from './api-context.ts';
import { docsPage } from './docs-page.ts';
import { docsStyle } from './docs-style.ts';
import { addSecuritySchemes } from './security.ts';

/** The version of the API itself: the `v1` in its addresses, and what was added to it since. */
const apiVersion = '1.0.0';

const description = `
JSON over HTTP for everything that the pages do. Moments are RFC 3339 text, durations whole seconds. Fields and parameters
that are not known are refused by name. Lists come in pages: \`next\` is \`after\` of the next one.
`;

/** Serves the document, made from the schemas that validate, and a page that people can read; to anybody, without secrets. */
export function addDocumentation(api: ApiRouter): void {
  addSecuritySchemes(api);
  let document: ApiDocument | null = null;
  const read = (): ApiDocument => (document ??= makeDocument(api));
  const styleName = `docs-${createHash('sha256').update(docsStyle).digest('base64url').slice(0, 16)}.css`;
  api.get('/openapi.json', (c) => c.json(read()));
  api.get('/docs', (c) => c.html(docsPage(read(), `${apiPath}/${styleName}`)));
  api.get(`/${styleName}`, (c) => {
    c.header('Cache-Control', 'public, max-age=31536000, immutable');
    return c.body(docsStyle, 200, { 'Content-Type': 'text/css; charset=utf-8' });
  });
}

function makeDocument(api: ApiRouter): ApiDocument {
  return api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Latchkey', version: apiVersion, description: description.trim().replaceAll('\n', ' ') },
    servers: [{ url: apiPath }],
  });
}
