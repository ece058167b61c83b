import { z } from 'zod';
import type { KeyPath } from './problem.ts';
import { configFileSchema } from './schema.ts';

/** As much of JSON Schema (draft 2020-12) as the configuration file uses. */
export interface JsonSchema {
  title?: string;
  description?: string;
  type?: string | readonly string[];
  default?: unknown;
  enum?: readonly unknown[];
  const?: unknown;
  properties?: Record<string, JsonSchema>;
  required?: readonly string[];
  additionalProperties?: boolean | JsonSchema;
  items?: JsonSchema;
  anyOf?: readonly JsonSchema[];
  minimum?: number;
  maximum?: number;
}

/** The JSON Schema of the configuration file, for editors; made from the schema that validates. */
export const configJsonSchema: JsonSchema = {
  title: 'Latchkey configuration',
  ...(z.toJSONSchema(configFileSchema, {
    io: 'input',
    override: ({ jsonSchema }) => {
      // "Left out" is null inside the product only; the file leaves it out.
      if (jsonSchema.default === null) delete jsonSchema.default;
      // Kinds exclude each other by themselves; a choice is written in one way.
      if (jsonSchema.oneOf) {
        jsonSchema.anyOf = jsonSchema.oneOf;
        delete jsonSchema.oneOf;
      }
    },
  }) as JsonSchema),
};

/** Names that may stand in the map at `path`; empty where there is no map or any name may stand. */
export function knownKeys(schema: JsonSchema, path: KeyPath): readonly string[] {
  return [...new Set(alternativesAt(schema, path).flatMap((each) => Object.keys(each.properties ?? {})))];
}

function alternativesAt(schema: JsonSchema, path: KeyPath): readonly JsonSchema[] {
  let level = flatten(schema);
  for (const part of path) {
    level = level.flatMap((each) => {
      const child = typeof part === 'number' ? each.items : (each.properties?.[part] ?? valueSchema(each));
      return child ? flatten(child) : [];
    });
  }
  return level;
}

function valueSchema(schema: JsonSchema): JsonSchema | undefined {
  return typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined;
}

/** A schema and, in place of a choice, all that may be chosen. */
export function flatten(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf ? schema.anyOf.flatMap(flatten) : [schema];
}
