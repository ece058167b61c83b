import type { ApiRouter } from './api-context.ts';
import { apiPath } from './api-context.ts';
import { addSecuritySchemes } from './security.ts';

/** The document of the API as OpenAPI 3.1 knows it. */
export type ApiDocument = ReturnType<ApiRouter['getOpenAPI31Document']>;

/** The version of the API itself: the `v1` in its addresses, and what was added to it since. */
const apiVersion = '1.0.0';

const description = `
JSON over HTTP for everything that the pages do. Moments are RFC 3339 text, durations whole seconds. Fields and parameters
that are not known are refused by name. Lists come in pages: \`next\` is \`after\` of the next one.
`;

/** Serves the document, made from the schemas that validate. */
export function addDocumentation(api: ApiRouter): void {
  addSecuritySchemes(api);
  let document: ApiDocument | null = null;
  const read = (): ApiDocument => (document ??= makeDocument(api));
  api.get('/openapi.json', (c) => c.json(read()));
}

function makeDocument(api: ApiRouter): ApiDocument {
  return api.getOpenAPI31Document({
    openapi: '3.1.0',
    info: { title: 'Latchkey', version: apiVersion, description: description.trim().replaceAll('\n', ' ') },
    servers: [{ url: apiPath }],
  });
}
