/** Credentials in every channel, through the whole decision. */
import assert from 'node:assert/strict';
import { backendFields } from '../../src/gateway/backend-request.ts';
import { decide } from '../../src/gateway/decide.ts';
import type { Credential } from '../../src/tokens/verification.ts';
import { routeConfig } from '../support/route-config.ts';
import { decideDeps, validToken } from './judges/gateway.ts';
import { inboundOf, readRequestText, valuesOf, type WrittenRequest } from './judges/request-text.ts';

export const subjects: readonly string[] = ['gateway/credential.ts', 'gateway/decide.ts'];

export const words: readonly string[] = [
  validToken,
  `Authorization: Bearer ${validToken}\n`,
  `Authorization: Basic ${Buffer.from(`alice:${validToken}`).toString('base64')}\n`,
  `apiToken: ${validToken}\n`,
  `session=${validToken}&`,
  `access_token=%6Ck_${validToken.slice(3)}`,
  '%73ession',
  'YTpi',
];

const routes = [
  routeConfig({
    name: 'all',
    match: { host: null, path: '/all/' },
    accept: ['basic', 'bearer', { header: 'apiToken' }, { query: 'session' }],
  }),
  routeConfig({
    name: 'basic',
    match: { host: null, path: '/basic/' },
    accept: ['basic'],
    mainPassword: 'allow',
  }),
  routeConfig({ name: 'bearer', match: { host: null, path: '/' }, accept: ['bearer'] }),
];
const { deps, asked } = decideDeps(routes, [{ kind: 'everything' }]);
const backend = { scheme: 'http', authority: '127.0.0.1:9' } as const;

/**
 * Nobody is let in but by the valid token, offered once, in a channel of the route; the verifier is asked once and
 * gets what another reader finds in the request; no credential is left in what a backend would get or in a denial.
 */
export async function fuzz(input: Buffer): Promise<void> {
  const request = readRequestText(input);
  asked.length = 0;
  const decision = await decide(inboundOf(request), deps);
  assert.ok(asked.length <= 1, 'at most one credential is verified');
  const [credential] = asked;
  if (credential !== undefined) assertOffered(credential, request);
  if (decision.kind === 'refuse') {
    assert.ok(!JSON.stringify(decision.denial).includes(validToken), 'a denial holds no credential');
    if (credential?.secret === validToken) assert.notEqual(decision.denial.code, 'unauthenticated');
    return;
  }
  assert.equal(credential?.secret, validToken, 'only the valid token is let in');
  assert.equal(offers(request, decision.route.name).length, 1, 'offered once');
  assertForwardable(
    request,
    decision.query,
    backendFields(decision, backend, 'id', null),
    decision.route.name,
  );
}

/** Every credential that a loose reader finds, as written. */
function offers({ rawHeaders, target }: WrittenRequest, route: string): readonly string[] {
  const query = new URLSearchParams(target.replace(/^[^?]*\??/, ''));
  return [
    ...valuesOf(rawHeaders, 'authorization'),
    ...(route === 'all' ? [...valuesOf(rawHeaders, 'apitoken'), ...query.getAll('session')] : []),
    ...query.getAll('access_token').filter((value) => value === validToken),
  ];
}

/** Finds the credential in the request by means of its own. */
function assertOffered(credential: Credential, { rawHeaders, target }: WrittenRequest): void {
  const [authorization = ''] = valuesOf(rawHeaders, 'authorization');
  const rest = authorization.replace(/^\S+ +/, '');
  switch (credential.channel) {
    case 'basic': {
      assert.match(authorization, /^basic /i);
      assert.equal(Buffer.from(rest, 'base64').toString('utf8'), `${credential.user}:${credential.secret}`);
      assert.doesNotMatch(credential.user, /:/);
      assert.doesNotMatch(credential.user + credential.secret, /[\0-\x1f\x7f]|\ufffd\ufffd/);
      break;
    }
    case 'bearer':
      assert.equal(authorization.toLowerCase().startsWith('bearer '), true);
      assert.equal(credential.secret, rest);
      assert.doesNotMatch(credential.secret, /[\s,;"]/);
      break;
    case 'header':
      assert.deepEqual(valuesOf(rawHeaders, 'apitoken'), [credential.secret]);
      break;
    case 'query': {
      const seen = new URLSearchParams(target.replace(/^[^?]*\??/, '')).get('session');
      // What is malformed is taken as it stands, where URLSearchParams puts replacement characters.
      if (seen !== null && !/%(?![0-9a-f]{2})/i.test(target) && !seen.includes('\ufffd')) {
        assert.equal(credential.secret, seen);
      }
      break;
    }
    default:
      credential satisfies never;
  }
}

function assertForwardable(
  request: WrittenRequest,
  query: string,
  fields: readonly string[],
  route: string,
): void {
  const left = new URLSearchParams(query);
  if (route === 'all') assert.equal(left.has('session'), false, 'no credential is left in the query');
  assert.ok(!left.getAll('access_token').includes(validToken), 'no token is left under the standard name');
  const pairs = request.target.replace(/^[^?]*\??/, '').split('&');
  for (const pair of query === '' ? [] : query.split('&')) {
    const at = pairs.indexOf(pair);
    assert.notEqual(at, -1, 'the rest of the query keeps its bytes and order');
    pairs.splice(0, at + 1);
  }
  const channels = new Set(['authorization', 'apitoken', 'referer']);
  const elsewhere = request.rawHeaders.some(
    (value, at) =>
      at % 2 === 1 &&
      !channels.has(request.rawHeaders[at - 1]?.toLowerCase() ?? '') &&
      value.includes(validToken),
  );
  for (const [at, text] of fields.entries()) {
    if (at % 2 === 0)
      assert.ok(!/^(?:authorization|apitoken)$/i.test(text), 'no credential field is passed on');
    else assert.ok(!text.includes(validToken) || elsewhere, 'the token is passed on nowhere');
  }
}
