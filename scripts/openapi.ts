/** Writes docs/openapi.json: the API's document as it is served. A test holds the two against each other. */
import { writeFile } from 'node:fs/promises';
import { type ApiDeps, createApi } from '../src/web/api/api.ts';

// The document is made from routes and schemas alone: what lies below them is not asked.
const response = await createApi({} as ApiDeps).request('/openapi.json');
const document: unknown = await response.json();
await writeFile(new URL('../docs/openapi.json', import.meta.url), `${JSON.stringify(document, null, 2)}\n`);
