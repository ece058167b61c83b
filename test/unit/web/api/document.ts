import assert from 'node:assert/strict';
import { z } from 'zod';
import { type ApiDeps, createApi } from '../../../../src/web/api/api.ts';

/** As much of an OpenAPI document as tests look at. */
export interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly servers: readonly { readonly url: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, object>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
}

/** One operation of it. */
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

/** One parameter of it. */
export interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: object;
}

type Content = Readonly<Record<string, { readonly schema: object }>>;

/** An operation with its place. */
export interface Placed extends Operation {
  readonly method: string;
  readonly path: string;
}

/** The document as the API serves it; nothing is asked of what lies below. */
export async function readDocument(): Promise<Document> {
  const response = await createApi({} as ApiDeps).request('/openapi.json');
  assert.equal(response.status, 200);
  return (await response.json()) as Document;
}

/** Every operation of a document. */
export function operationsIn({ paths }: Document): readonly Placed[] {
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      ...operation,
      method: method.toUpperCase(),
      path,
    })),
  );
}

/** Validates by a schema of the document, its references resolved. */
export function validatorOf(document: Document, schema: object): z.ZodType {
  const definitions = JSON.parse(
    JSON.stringify({ ...schema, $defs: document.components.schemas }).replaceAll(
      '#/components/schemas/',
      '#/$defs/',
    ),
  ) as Parameters<typeof z.fromJSONSchema>[0];
  return z.fromJSONSchema(definitions);
}
