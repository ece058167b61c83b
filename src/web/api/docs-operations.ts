import { apiPath } from '../../core/site-path.ts';
import type { ApiDocument } from './api-context.ts';
import { html, type Markup, prose } from './docs-markup.ts';
import { type DocumentedSchema, fieldEntry, typeOf } from './docs-schemas.ts';

type Content = Readonly<Record<string, { readonly schema?: DocumentedSchema }>>;

/** An operation with its place. */
export interface DocumentedOperation {
  readonly path: string;
  readonly method: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required?: boolean;
    readonly description?: string;
    readonly schema: DocumentedSchema;
  }[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>;
}

/** Operations by their groups, in the order in which they were added; what tokens ask of themselves comes last. */
export function groupsOf({ paths = {} }: ApiDocument): ReadonlyMap<string, readonly DocumentedOperation[]> {
  const groups = new Map<string, DocumentedOperation[]>();
  for (const [path, operations] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const placed = { ...(operation as DocumentedOperation), path, method: method.toUpperCase() };
      const [group = ''] = placed.tags;
      groups.set(group, [...(groups.get(group) ?? []), placed]);
    }
  }
  const [itself = '', own = []] = [...groups].find(([, each]) => each.some(isOfTokenItself)) ?? [];
  if (groups.delete(itself)) groups.set(itself, own);
  return groups;
}

function isOfTokenItself({ security }: DocumentedOperation): boolean {
  return security.some((requirement) => 'appTokenBearer' in requirement);
}

/** Everything about one operation, under an anchor of its own. */
export function operationSection(operation: DocumentedOperation): Markup {
  const { operationId, method, path, summary, description = '', security } = operation;
  return html`<article class="operation" id="${operationId}" aria-labelledby="${operationId}-title">
<h3 id="${operationId}-title">${summary}</h3>
<p class="address"><span class="method" data-method="${method}">${method}</span> <code>${apiPath}${path}</code></p>
${description !== '' && html`<p>${prose(description)}</p>`}
<p class="who">${prose(`For ${security.map(callerWords).join(', or ')}.`)}</p>
${parameterList(operation)}
${requestBody(operation)}
<h4>Answers</h4>
<dl class="answers">
${Object.entries(operation.responses).map(([status, response]) => answerEntry(status, response))}
</dl>
</article>
`;
}

function callerWords(requirement: Readonly<Record<string, readonly string[]>>): string {
  if ('session' in requirement) return 'csrf' in requirement ? 'a session with its CSRF token' : 'a session';
  if ('appTokenBearer' in requirement) return 'an app token as Bearer';
  if ('appTokenBasic' in requirement) return 'an app token as Basic';
  const [scope] = requirement['adminKey'] ?? [];
  return scope === undefined ? 'any admin key' : `an admin key with \`${scope}\``;
}

const places: readonly (readonly [place: string, title: string])[] = [
  ['path', 'In the address'],
  ['query', 'Query'],
  ['header', 'Headers'],
];

function parameterList({ parameters = [] }: DocumentedOperation): readonly Markup[] {
  return places.flatMap(([place, title]) => {
    const found = parameters.filter((each) => each.in === place);
    if (found.length === 0) return [];
    return [
      html`<h4>${title}</h4>
<dl class="fields">
${found.map(({ name, schema, required = false, description = '' }) => fieldEntry(name, schema, required, description))}
</dl>
`,
    ];
  });
}

function requestBody({ requestBody: body }: DocumentedOperation): Markup {
  const schema = body?.content['application/json']?.schema;
  if (schema === undefined) return html``;
  return html`<h4>Body</h4>
<p>${typeOf(schema)}${body?.required !== true && ', optional'}</p>`;
}

function answerEntry(
  status: string,
  { description, content = {} }: { readonly description: string; readonly content?: Content },
): Markup {
  const schema = Object.values(content)[0]?.schema;
  return html`<div>
<dt>${status}</dt>
<dd>${prose(description)}${schema !== undefined && html` ${typeOf(schema)}`}</dd>
</div>
`;
}
