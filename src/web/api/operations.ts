import type { RouteConfig } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { apiPath } from '../../core/site-path.ts';
import type { ApiEnv, ApiRouter } from './api-context.ts';
import { answerProblem } from './problem.ts';
import { ifMatch } from './responses.ts';

/** All that the API documents, once every resource has added its routes. */
export function operationsOf(api: ApiRouter): readonly RouteConfig[] {
  return api.openAPIRegistry.definitions.flatMap((definition) =>
    definition.type === 'route' ? [definition.route] : [],
  );
}

/**
 * Answers what is no resource, OPTIONS, and methods that a resource does not know, and refuses If-Match where nothing
 * would honour it (RFC 9110 sections 9.3.7, 15.5.6, 13.1.1). To be added before any route.
 */
export function keepToOperations(api: ApiRouter): MiddlewareHandler<ApiEnv> {
  let table: ReadonlyMap<string, ReadonlyMap<string, RouteConfig>> | null = null;
  return async (c, next) => {
    table ??= tableOf(operationsOf(api));
    const operations = operationsAt(
      table,
      c.req.path.slice(c.req.path.startsWith(apiPath) ? apiPath.length : 0),
    );
    if (operations === null) return answerProblem(c, 'not_found');
    const { method } = c.req;
    const operation = operations.get(method === 'HEAD' ? 'GET' : method);
    if (operation === undefined) {
      c.header('Allow', allowed(operations));
      return method === 'OPTIONS' ? c.body(null, 204) : answerProblem(c, 'method_refused');
    }
    const isGuarded =
      operation.parameters?.some((each) => 'name' in each && each.name === ifMatch.name) === true;
    const isSafe = operation.method === 'get';
    if (!isGuarded && !isSafe && (c.req.header(ifMatch.name) ?? '*') !== '*') {
      return answerProblem(c, 'bad_precondition');
    }
    return next();
  };
}

function tableOf(routes: readonly RouteConfig[]): ReadonlyMap<string, ReadonlyMap<string, RouteConfig>> {
  const table = new Map<string, Map<string, RouteConfig>>();
  for (const route of routes) {
    const operations = table.get(route.path) ?? new Map<string, RouteConfig>();
    table.set(route.path, operations.set(route.method.toUpperCase(), route));
  }
  return table;
}

/** What is documented at this path; a path without parameters before one that has some (OpenAPI 3.1 section 4.8.8). */
function operationsAt(
  table: ReadonlyMap<string, ReadonlyMap<string, RouteConfig>>,
  path: string,
): ReadonlyMap<string, RouteConfig> | null {
  const exact = table.get(path);
  if (exact !== undefined) return exact;
  const segments = path.split('/');
  for (const [template, operations] of table) {
    const parts = template.split('/');
    const fits =
      parts.length === segments.length &&
      parts.every((part, at) => (part.startsWith('{') ? segments[at] !== '' : part === segments[at]));
    if (fits) return operations;
  }
  return null;
}

function allowed(operations: ReadonlyMap<string, RouteConfig>): string {
  const methods = [...operations.keys()];
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}
