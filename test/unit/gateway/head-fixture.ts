import assert from 'node:assert/strict';
import type { Denial, Inbound } from '../../../src/core/decision.ts';
import { createClientSideReader } from '../../../src/gateway/client-side.ts';
import { createFieldRules, type FieldRules } from '../../../src/gateway/field-rules.ts';
import { type HeadReaderDeps, readHead } from '../../../src/gateway/read-head.ts';
import type { RequestHead } from '../../../src/gateway/request-head.ts';

/** Headers by which the routes of these tests identify users. */
export const identityNames: readonly string[] = ['X-Remote-User', 'X-Latchkey-Assertion', 'Company.User'];

/** Rules of the tests, with one header that carries tokens. */
export const rules: FieldRules = createFieldRules(identityNames, ['apiToken']);

/** A reader that trusts one proxy, 10.0.0.1. */
export const readerDeps: HeadReaderDeps = {
  rules,
  clientSide: createClientSideReader(['10.0.0.1']),
  hasOwnPages: () => false,
};

/** A request as plain data: GET / on gw.example unless told otherwise. `fields` are flat. */
export function inbound(fields: readonly string[], change: Partial<Inbound> = {}): Inbound {
  return {
    method: 'GET',
    target: '/',
    rawHeaders: ['Host', 'gw.example', ...fields],
    exactLine: true,
    httpVersion: '1.1',
    peerAddress: '192.0.2.7',
    tls: false,
    readBody: () => Promise.resolve(null),
    ...change,
  };
}

/** What the reader makes of it. */
export function read(fields: readonly string[], change: Partial<Inbound> = {}): RequestHead | Denial {
  return readHead(inbound(fields, change), readerDeps);
}

/** The head of a request that must pass. */
export function passing(fields: readonly string[], change: Partial<Inbound> = {}): RequestHead {
  const head = read(fields, change);
  assert.equal(head.kind, 'head', `refused: ${head.kind === 'deny' ? head.reason : ''}`);
  return head;
}

/** The code of a refusal, or 'head' where it passes. */
export function refusal(fields: readonly string[], change: Partial<Inbound> = {}): string {
  const head = read(fields, change);
  return head.kind === 'deny' ? head.code : 'head';
}
