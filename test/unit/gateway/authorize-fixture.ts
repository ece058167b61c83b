import assert from 'node:assert/strict';
import type { RouteConfig } from '../../../src/config/config.ts';
import { deny, type Denial, type Inbound } from '../../../src/core/decision.ts';
import { denials } from '../../../src/core/errors.ts';
import type { TokenId, UserId } from '../../../src/core/ids.ts';
import type { Principal } from '../../../src/core/principal.ts';
import { expandScope, parseScope, type Scope } from '../../../src/core/scope.ts';
import { authorize, type AuthorizeDeps, type Permit } from '../../../src/gateway/authorize.ts';
import { compileAuthorizedRoute } from '../../../src/gateway/authorized-route.ts';
import { createClientSideReader } from '../../../src/gateway/client-side.ts';
import { presentedCredential } from '../../../src/gateway/credential.ts';
import { createFieldRules } from '../../../src/gateway/field-rules.ts';
import { readHead } from '../../../src/gateway/read-head.ts';
import type { RequestHead } from '../../../src/gateway/request-head.ts';
import { createRouteTable } from '../../../src/gateway/routes.ts';
import { routeConfig } from '../../support/route-config.ts';

/** One request and the token it comes with. */
export interface Asked {
  readonly method: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly scopes: readonly string[];
  /** Default alice. */
  readonly user?: string;
  /** Default: one webdav route at `/`. */
  readonly routes?: readonly RouteConfig[];
  /** Default 1 MiB. */
  readonly reportBytes?: number;
}

/** What became of it. */
export type Answer = Permit | Denial;

const readerDeps = {
  rules: createFieldRules(['x-remote-user'], []),
  clientSide: createClientSideReader([]),
  hasOwnPages: () => false,
};
const accepted = { basic: true, bearer: true, headers: [], queries: ['access_token'] };

/** A principal with these scopes, expanded as minting expands them. */
export function principalWith(scopes: readonly string[], userName = 'alice'): Principal {
  return {
    userId: '01900000-0000-7000-8000-000000000001' as UserId,
    userName,
    tokenId: '01900000-0000-7000-8000-000000000002' as TokenId,
    scopes: scopes.map((text) => scopeOf(text, userName)),
  };
}

/** A scope that parses and expands. */
export function scopeOf(text: string, userName = 'alice'): Scope {
  const parsed = parseScope(text);
  assert.ok(parsed.kind !== 'scope_problem', text);
  const expanded = expandScope(parsed, userName);
  assert.ok(expanded.kind !== 'scope_problem', text);
  return expanded;
}

/** Reads the head, finds the route and the credential, and asks, as the pipeline does after verification. */
export async function ask(asked: Asked): Promise<Answer> {
  const inbound = inboundOf(asked);
  const configs = asked.routes ?? [routeConfig()];
  const table = createRouteTable(
    configs.map((config) => ({ match: config.match, authorized: compileAuthorizedRoute(config, configs) })),
  );
  const head = readHead(inbound, readerDeps);
  if (head.kind === 'deny') return head;
  const presented = presentedCredential(head, accepted);
  if (presented.kind === 'deny') return presented;
  const route = table.find(head.host, head.path);
  if (route === null) return deny('no_route', 'no route');
  const deps: AuthorizeDeps = {
    routeNameAt: (host, path) => table.find(host, path)?.authorized.name ?? null,
    reportBytes: asked.reportBytes ?? 1024 * 1024,
  };
  return authorize(head, route.authorized, principalWith(asked.scopes, asked.user), inbound, deps);
}

/** 'allow', or the status and code of the refusal, as in `403 outside_scope`. */
export async function verdict(asked: Asked): Promise<string> {
  const answer = await ask(asked);
  return answer.kind === 'permit' ? 'allow' : `${denials[answer.code].status} ${answer.code}`;
}

/** Asks and expects a permit. */
export async function permitFor(asked: Asked): Promise<Permit> {
  const answer = await ask(asked);
  assert.equal(answer.kind, 'permit', JSON.stringify(answer));
  return answer;
}

/** The head of a request that reads well. */
export function headOf(
  method: string,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): RequestHead {
  const head = readHead(inboundOf({ method, target, headers, scopes: [] }), readerDeps);
  assert.equal(head.kind, 'head', JSON.stringify(head));
  return head;
}

function inboundOf(asked: Asked): Inbound {
  const body = Buffer.from(asked.body ?? '');
  const fields = Object.entries(asked.headers ?? {}).flat();
  const length = body.length === 0 ? [] : ['Content-Length', String(body.length)];
  return {
    method: asked.method,
    target: asked.target,
    rawHeaders: ['Host', 'gw.example', ...length, ...fields],
    exactLine: true,
    httpVersion: '1.1',
    peerAddress: '192.0.2.1',
    tls: false,
    readBody: (bytesMax) => Promise.resolve(body.length > bytesMax ? null : body),
  };
}
