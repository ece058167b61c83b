import assert from 'node:assert/strict';
import type { FramingCase, FramingOutcome } from './cases.ts';
import { field, status } from './http-message.ts';
import type { HttpMessage } from './http-message.ts';
import type { RecordingBackend } from './recording-backend.ts';

/** What became of a request on the client's side. */
export interface Observed {
  /** The final responses, in order. */
  readonly answers: readonly HttpMessage[];
  /** The gateway closed although the client had not. */
  readonly closedByGateway: boolean;
  /** Every byte that came back. */
  readonly received: Buffer;
}

/** What became of it on the other side. */
export type BackendView = Pick<RecordingBackend, 'requests' | 'violations' | 'text'>;

/** The statuses of the final responses. */
export function statuses(seen: Observed): readonly number[] {
  return seen.answers.map(status);
}

const checks: Readonly<
  Record<FramingOutcome, (wanted: FramingCase, seen: Observed, at: BackendView) => void>
> = {
  reject(wanted, seen, backend) {
    assert.equal(backend.text(), '', 'not a byte reaches the backend');
    const [code = 0, ...more] = statuses(seen);
    assert.deepEqual(more, [], 'one answer');
    const fits = wanted.status?.includes(code) ?? (code >= 400 && code < 600);
    assert.ok(fits, `status ${code}, wanted ${JSON.stringify(wanted.status ?? '4xx or 5xx')}`);
    assert.ok(seen.closedByGateway, 'the connection is closed');
  },
  'close-without-response'(_wanted, seen, backend) {
    assert.equal(backend.text(), '');
    assert.deepEqual(statuses(seen), []);
    assert.ok(seen.closedByGateway);
  },
  'forward-normalized'(_wanted, seen, backend) {
    assert.equal(backend.requests.length, 1, `one request reaches the backend, not ${backend.text()}`);
    assert.deepEqual(statuses(seen), [200]);
  },
};

/**
 * Asserts that a case ended as it must: in its outcome or in one as good, with what the backend must and must not see, and
 * in no event with a request that the client hid in another.
 */
export function assertVerdict(wanted: FramingCase, seen: Observed, backend: BackendView): void {
  assertNotSmuggled(wanted, backend);
  const failures: unknown[] = [];
  for (const outcome of [wanted.expect, ...(wanted.also_ok ?? [])]) {
    try {
      checks[outcome](wanted, seen, backend);
      return;
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures.length === 1
    ? failures[0]
    : new AggregateError(failures, failures.map(String).join('; or '));
}

/**
 * Asserts that the backend got so many requests from each of these addresses and, counted to the byte, nothing beside them:
 * no other request, no part of one. For bodies that are passed on with their length.
 */
export function assertNothingElse(backend: BackendView, expected: ReadonlyMap<string, number>): void {
  assert.deepEqual(backend.violations, []);
  const seen = new Map<string, number>();
  let bytes = 0;
  for (const request of backend.requests) {
    const from = field(request, 'x-forwarded-for') ?? '';
    seen.set(from, (seen.get(from) ?? 0) + 1);
    bytes += request.head.length + request.body.length;
  }
  assert.deepEqual(seen, new Map([...expected].filter(([, count]) => count > 0)));
  assert.equal(backend.text().length, bytes, `nothing but ${backend.requests.length} requests`);
}

function assertNotSmuggled(wanted: FramingCase, backend: BackendView): void {
  assert.deepEqual(backend.violations, []);
  const smuggled = backend.requests.filter(({ target }) => target.includes('smuggled'));
  assert.deepEqual(smuggled, []);
  if (backend.requests.length === 0) return;
  const text = backend.text();
  const holds = (part: string): boolean => text.toLowerCase().includes(part.toLowerCase());
  for (const part of wanted.upstream_must_see ?? []) assert.ok(holds(part), `${part} in ${text}`);
  for (const part of wanted.upstream_must_not_see ?? []) assert.ok(!holds(part), `no ${part} in ${text}`);
}
