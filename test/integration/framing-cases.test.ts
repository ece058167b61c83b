import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { caseTitle, expandRaw, framingCases } from '../support/cases.ts';
import type { FramingCase, FramingOutcome } from '../support/cases.ts';
import { endAll } from '../support/end-all.ts';
import { within } from '../support/eventually.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange, openRaw } from '../support/raw-client.ts';
import type { RawConnection } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordingBackend } from '../support/recording-backend.ts';

/** Cases that do not hold yet, with the reason. They run all the same. */
const todo: Readonly<Record<string, string>> = {};

interface Observed {
  readonly statuses: readonly number[];
  /** The gateway closed although the client had not. */
  readonly closedByGateway: boolean;
}

const isFinal = (code: number): boolean => code >= 200;

/** Sends the bytes and waits for the verdict: the gateway closes, or answers and then closes after us. */
async function observe(raw: RawConnection, bytes: Buffer): Promise<Observed> {
  await raw.send(bytes, /^\S*/.exec(bytes.toString('latin1'))?.[0]);
  const statuses: number[] = [];
  while (!statuses.some(isFinal)) {
    const next = await raw.nextResponse(10_000).catch((error: unknown) => {
      if (raw.isClosed()) return null;
      throw error;
    });
    if (next === null) break;
    statuses.push(status(next));
  }
  // A refusal has to close by itself; what was served may keep the connection until we end it.
  const refused = statuses.some((code) => code >= 400);
  const closedByGateway = await within('the close', refused ? 3_000 : 0, raw.closed).then(
    () => true,
    () => false,
  );
  raw.socket.end();
  await within('the gateway to end the connection', 5_000, raw.closed);
  return { statuses: [...statuses, ...raw.responses.map(status)].filter(isFinal), closedByGateway };
}

const checks: Readonly<
  Record<FramingOutcome, (wanted: FramingCase, seen: Observed, backend: RecordingBackend) => void>
> = {
  reject(wanted, seen, backend) {
    assert.equal(backend.text(), '', 'not a byte reaches the backend');
    assert.equal(seen.statuses.length, 1, `one answer, not ${JSON.stringify(seen.statuses)}`);
    const [code = 0] = seen.statuses;
    const fits = wanted.status?.includes(code) ?? (code >= 400 && code < 600);
    assert.ok(fits, `status ${code}, wanted ${JSON.stringify(wanted.status ?? '4xx or 5xx')}`);
    assert.ok(seen.closedByGateway, 'the connection is closed');
  },
  'close-without-response'(_wanted, seen, backend) {
    assert.equal(backend.text(), '');
    assert.deepEqual(seen.statuses, []);
    assert.ok(seen.closedByGateway);
  },
  'forward-normalized'(_wanted, seen, backend) {
    assert.equal(backend.requests.length, 1, `one request reaches the backend, not ${backend.text()}`);
    assert.deepEqual(seen.statuses, [200]);
  },
};

function holds(wanted: FramingCase, seen: Observed, backend: RecordingBackend): void {
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

function assertNeverSmuggled(wanted: FramingCase, seen: Observed, backend: RecordingBackend): void {
  assert.deepEqual(backend.violations, []);
  assert.deepEqual(
    backend.requests.filter(({ target }) => target.includes('smuggled')),
    [],
  );
  if (backend.requests.length === 0) return;
  for (const text of wanted.upstream_must_see ?? []) {
    assert.ok(backend.text().toLowerCase().includes(text.toLowerCase()), `${text} in ${backend.text()}`);
  }
  for (const text of wanted.upstream_must_not_see ?? []) {
    assert.ok(!backend.text().toLowerCase().includes(text.toLowerCase()), `no ${text} in ${backend.text()}`);
  }
  assert.ok(seen.statuses.length >= 1);
}

describe('framing on the wire', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let token: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway({ backend: backend.url });
    await gateway.user('alice');
    token = await gateway.token({ scopes: ['path:/dav/files/alice/Photos/:rw'] });
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );

  for (const each of framingCases()) {
    test(caseTitle(each), {
      todo: todo[each.id] ?? false,
    }, async () => {
      backend.forget();
      const raw = await openRaw(gateway.port);
      try {
        const seen = await observe(raw, expandRaw(each.raw, token));
        assertNeverSmuggled(each, seen, backend);
        holds(each, seen, backend);
      } finally {
        raw.destroy();
      }
    });
  }

  test('after all of them an honest request passes', async () => {
    const target = '/dav/files/alice/Photos/a.jpg';
    const answer = await exchange(gateway.port, 'GET', target, [`Authorization: Bearer ${token}`]);
    assert.equal(status(answer), 200);
  });

  test('every named exception is still a case', () => {
    const ids = new Set(framingCases().map(({ id }) => id));
    assert.deepEqual(
      Object.keys(todo).filter((id) => !ids.has(id)),
      [],
    );
  });
});
