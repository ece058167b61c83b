import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { deny, denyForNow } from '../../../src/core/decision.ts';
import { type DenialCode, denials, type FaultCode, faults } from '../../../src/core/errors.ts';
import { createChallenge, type Refusal, renderDenial, renderFault } from '../../../src/gateway/refusal.ts';
import { reasonPhrases } from '../../../src/gateway/reason-phrases.ts';

const challenge = createChallenge(true);

function valuesOf(refusal: Refusal, name: string): string[] {
  return refusal.fields.filter((_, at) => at % 2 === 1 && refusal.fields[at - 1] === name);
}

describe('a refusal', () => {
  test('is problem+json of the stated length, for every denial and fault, and is never cached', () => {
    const all = [
      ...(Object.keys(denials) as DenialCode[]).map((code) =>
        renderDenial(deny(code, 'why'), challenge, false, 'id-1'),
      ),
      ...(Object.keys(faults) as FaultCode[]).map((code) => renderFault(code, 'id-1')),
    ];
    for (const refusal of all) {
      const body = JSON.parse(refusal.body) as Record<string, unknown>;
      assert.equal(body['status'], refusal.status);
      assert.equal(body['title'], reasonPhrases[refusal.status]);
      assert.equal(body['requestId'], 'id-1');
      assert.ok(typeof body['title'] === 'string' && typeof body['detail'] === 'string');
      assert.deepEqual(valuesOf(refusal, 'Content-Type'), ['application/problem+json']);
      assert.deepEqual(valuesOf(refusal, 'Content-Length'), [String(Buffer.byteLength(refusal.body))]);
      assert.deepEqual(valuesOf(refusal, 'Cache-Control'), ['no-store']);
    }
  });

  test('does not tell why: the reason is for the log', () => {
    const bodies = ['unknown', 'revoked', 'wrong_user'].map(
      (reason) => renderDenial(deny('unauthenticated', reason), challenge, false, 'id').body,
    );
    assert.equal(new Set(bodies).size, 1);
  });
});

describe('a 401', () => {
  const unauthenticated = deny('unauthenticated', 'no credential');

  test('offers Basic first, for clients that look at the first challenge only, then Bearer', () => {
    const values = valuesOf(renderDenial(unauthenticated, challenge, false, 'id'), 'WWW-Authenticate');
    assert.deepEqual(values, ['Basic realm="Latchkey", charset="UTF-8"', 'Bearer realm="Latchkey"']);
  });

  test('offers no Basic where the route takes none', () => {
    const values = valuesOf(
      renderDenial(unauthenticated, createChallenge(false), false, 'id'),
      'WWW-Authenticate',
    );
    assert.deepEqual(values, ['Bearer realm="Latchkey"']);
  });

  test('calls a refused bearer token invalid (RFC 6750 section 3.1)', () => {
    const values = valuesOf(renderDenial(unauthenticated, challenge, true, 'id'), 'WWW-Authenticate');
    assert.equal(values.at(-1), 'Bearer realm="Latchkey", error="invalid_token"');
  });
});

test('a 403 for a bearer token names the scope as the reason, for others nothing', () => {
  const outside = deny('outside_scope', 'why');
  assert.deepEqual(valuesOf(renderDenial(outside, challenge, true, 'id'), 'WWW-Authenticate'), [
    'Bearer realm="Latchkey", error="insufficient_scope"',
  ]);
  assert.deepEqual(valuesOf(renderDenial(outside, challenge, false, 'id'), 'WWW-Authenticate'), []);
});

test('a 405 says which methods there are, without those that are refused (RFC 9110 section 15.5.6)', () => {
  const [allow = ''] = valuesOf(renderDenial(deny('method_refused', 'why'), null, false, 'id'), 'Allow');
  assert.ok(allow.includes('PROPFIND') && !/TRACE|CONNECT/.test(allow));
});

test('a 429 says in whole seconds when to come again, never 0, and asks for no other credential', () => {
  for (const [ms, seconds] of [
    [1, '1'],
    [1_000, '1'],
    [59_001, '60'],
  ] as const) {
    const refusal = renderDenial(denyForNow('too_many_failures', 'why', ms), challenge, true, 'id');
    assert.equal(refusal.status, 429);
    assert.deepEqual(valuesOf(refusal, 'Retry-After'), [seconds]);
    assert.deepEqual(valuesOf(refusal, 'WWW-Authenticate'), []);
  }
});

test('a 503 asks to come again shortly; other faults do not', () => {
  for (const code of Object.keys(faults) as FaultCode[]) {
    const expected = faults[code].status === 503 ? ['2'] : [];
    assert.deepEqual(valuesOf(renderFault(code, 'id'), 'Retry-After'), expected, code);
  }
});
