import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { denials } from '../../src/core/errors.ts';
import { reasonPhrases } from '../../src/gateway/reason-phrases.ts';
import { deliver, methodOf } from '../support/arrival.ts';
import { expandRaw, framingCases } from '../support/cases.ts';
import { startFramingWorld } from '../support/framing-world.ts';
import type { FramingWorld } from '../support/framing-world.ts';
import { field, status } from '../support/http-message.ts';
import type { HttpMessage } from '../support/http-message.ts';

const cases = framingCases().filter(({ expect, todo }) => expect === 'reject' && todo === undefined);

/** The sentences of the product: whatever else stands in an answer came from somewhere. */
const sentences = new Map(Object.values(denials).map(({ detail, status }) => [detail, status]));
/** Every field of a refusal with the values it may have. */
const fieldValues: Readonly<Record<string, RegExp>> = {
  date: /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/,
  'content-type': /^application\/problem\+json$/,
  'content-length': /^\d{1,3}$/,
  'cache-control': /^no-store$/,
  connection: /^close$/,
  allow: /^[A-Z, ]+$/,
  'www-authenticate':
    /^(?:Basic realm="Latchkey", charset="UTF-8"|Bearer realm="Latchkey"(?:, error="[a-z_]+")?)$/,
};
/** An echo is a run of so many bytes of the request. */
const echoBytes = 12;

/** Asserts that a refusal consists of fixed words alone, and that they fit its status. */
function assertFixedWords(answer: HttpMessage, method: string): void {
  const code = status(answer);
  assert.equal(answer.startLine, `HTTP/1.1 ${code} ${reasonPhrases[code]}`);
  for (const [name, value] of answer.fields) {
    assert.match(value, fieldValues[name.toLowerCase()] ?? /^(?!)/, `${name}: ${value}`);
  }
  assert.equal(field(answer, 'connection'), 'close');
  if (method === 'HEAD') return;
  const {
    title,
    status: said,
    detail,
    requestId,
    ...more
  } = JSON.parse(answer.body.toString()) as Record<string, unknown>;
  assert.deepEqual([title, said, more], [reasonPhrases[code], code, {}]);
  assert.equal(sentences.get(String(detail)), code, 'a sentence of the product, for this status');
  assert.match(String(requestId), /^(?:-|[0-9a-f]{12}-[0-9a-z]{1,8})$/);
}

/** Asserts that no run of the request stands in the body or in a field's value, but for the words of the product. */
function assertNoEcho(request: Buffer, answer: HttpMessage): void {
  const sent = request.toString('latin1');
  const said = [...answer.fields.map(([, value]) => value), answer.body.toString('latin1')].join('\n');
  const own = [...sentences.keys(), 'application/problem+json', ...Object.values(reasonPhrases)].join('\n');
  for (let at = 0; at + echoBytes <= said.length; at++) {
    const run = said.slice(at, at + echoBytes);
    assert.ok(!sent.includes(run) || own.includes(run), `the answer repeats ${JSON.stringify(run)}`);
  }
}

describe('a refusal', () => {
  let world: FramingWorld;
  before(async () => {
    world = await startFramingWorld();
  });
  after(() => world?.stop());

  for (const { id, raw, expect, also_ok: alsoOk = [] } of cases) {
    test(`of ${id} is one short answer in the product's own words, and the end of the connection`, async () => {
      const bytes = expandRaw(raw, world.token);
      const method = methodOf(bytes);
      const [seen] = await deliver(world.gateway.port, [{ packets: [bytes], methods: [method] }]);
      assert.ok(seen);
      const [answer, ...more] = seen.answers;
      if (answer === undefined || (status(answer) < 400 && alsoOk.length > 0)) {
        assert.ok(alsoOk.length > 0, `${expect} alone is right`);
        return;
      }
      assert.deepEqual(more, []);
      assertFixedWords(answer, method);
      assertNoEcho(bytes, answer);
      assert.equal(
        seen.received.length,
        answer.head.length + answer.body.length,
        'nothing before it, nothing behind',
      );
      assert.ok(seen.received.length < 1_024, 'it is short');
      assert.ok(seen.closedByGateway);
    });
  }
});
