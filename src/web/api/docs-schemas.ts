import type { ApiDocument } from './api-context.ts';
import { html, type Markup, prose } from './docs-markup.ts';

/** As much of a JSON Schema as the page tells. */
export interface DocumentedSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly description?: string;
  readonly enum?: readonly (string | null)[];
  readonly default?: string | number | boolean;
  readonly items?: DocumentedSchema;
  readonly properties?: Readonly<Record<string, DocumentedSchema>>;
  readonly required?: readonly string[];
  readonly allOf?: readonly DocumentedSchema[];
  readonly oneOf?: readonly DocumentedSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
}

/** What bodies look like, each under an anchor of its own. */
export function schemaSections({ components }: ApiDocument): readonly Markup[] {
  const schemas = Object.entries((components?.schemas ?? {}) as Readonly<Record<string, DocumentedSchema>>);
  return schemas
    .toSorted(([one], [other]) => one.localeCompare(other, 'en'))
    .map(
      ([
        name,
        schema,
      ]) => html`<article class="part" id="schema-${name}" aria-labelledby="schema-${name}-title">
<h3 id="schema-${name}-title">${name}</h3>
${schemaBody(schema)}
</article>
`,
    );
}

function schemaBody(schema: DocumentedSchema): Markup {
  if (schema.oneOf !== undefined) return html`<p>One of ${listed(schema.oneOf.map(typeOf))}.</p>`;
  const required = new Set(schema.required);
  const fields = Object.entries(schema.properties ?? {});
  if (fields.length === 0) return html`<p>${typeOf(schema)}</p>`;
  return html`<dl class="fields">
${fields.map(([name, field]) => fieldEntry(name, field, required.has(name)))}
</dl>`;
}

/** A field or parameter: its name, what it takes, whether it must be there, what it means. */
export function fieldEntry(name: string, schema: DocumentedSchema, isRequired: boolean, note = ''): Markup {
  const description = note === '' ? descriptionOf(schema) : note;
  const inner = schema.properties ?? schema.items?.properties;
  return html`<div>
<dt><code>${name}</code> <span class="type">${typeOf(schema)}</span>${!isRequired && html` <span class="optional">optional</span>`}</dt>
<dd>${description !== '' && html`<p>${prose(description)}</p>`}
${inner !== undefined && schemaBody(schema.items ?? schema)}</dd>
</div>
`;
}

function descriptionOf({ description, allOf }: DocumentedSchema): string {
  return description ?? allOf?.map((each) => each.description ?? '').find((text) => text !== '') ?? '';
}

/** What a schema takes, in words; other schemas as links. */
export function typeOf(schema: DocumentedSchema): Markup {
  const reference = schema.$ref ?? schema.allOf?.find((each) => each.$ref !== undefined)?.$ref;
  if (reference !== undefined) {
    const name = reference.slice(reference.lastIndexOf('/') + 1);
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  const types = [schema.type ?? []].flat();
  const main = types.find((type) => type !== 'null') ?? 'anything';
  const orNull = types.includes('null') ? ' or null' : '';
  if (schema.enum !== undefined) {
    const choices = schema.enum.filter((each) => each !== null).map((each) => html`<code>${each}</code>`);
    return html`${listed(choices)}${orNull}${standard(schema)}`;
  }
  if (main === 'array') return html`list of ${typeOf(schema.items ?? {})}${most(schema)}${orNull}`;
  const name = schema.format === undefined ? (typeNames[main] ?? main) : (formatNames[schema.format] ?? main);
  return html`${name}${most(schema)}${orNull}${standard(schema)}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'whole number',
  boolean: 'true or false',
  object: 'object',
};

const formatNames: Readonly<Record<string, string>> = {
  'date-time': 'moment',
  uuid: 'id',
  password: 'password',
};

function most({ maxLength, maxItems, minimum, maximum }: DocumentedSchema): string {
  if (maxLength !== undefined) return `, at most ${maxLength} characters`;
  if (maxItems !== undefined) return `, at most ${maxItems}`;
  const isBounded = minimum !== undefined && maximum !== undefined && maximum < 100_000;
  return isBounded ? ` from ${minimum} to ${maximum}` : '';
}

function standard({ default: value }: DocumentedSchema): string {
  return value === undefined ? '' : `; else ${String(value)}`;
}

function listed(items: readonly Markup[]): Markup {
  return html`${items.map((item, at) => [separator(at, items.length), item])}`;
}

function separator(at: number, count: number): string {
  if (at === 0) return '';
  return at === count - 1 ? ' or ' : ', ';
}
