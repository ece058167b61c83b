/** Reads a history and says where it breaks the promise. */
import type {
  CallEvent,
  ChangeEvent,
  FaultEvent,
  HistoryEvent,
  SeenEvent,
  TokenState,
  UseEvent,
} from './history.ts';

/** What is promised, and how long a fault may show after it is mended. */
export interface Bounds {
  /** A use that begins later than this after a change had returned must see it. */
  readonly promisedMs: number;
  /** What fails so long after a fault has ended is still put down to it. */
  readonly recoveryMs: number;
}

/** One place where the history breaks the promise. */
export interface Violation {
  readonly rule: 'allowed too late' | 'refused a valid token' | 'change lost' | 'change never confirmed';
  readonly story: string;
}

/** Something that failed while nothing was broken. */
export type Uncaused = UseEvent | CallEvent;

/** What a history comes to. */
export interface Verdict {
  readonly violations: readonly Violation[];
  /** 5xx and missing answers outside of every fault and its recovery. */
  readonly uncaused: readonly Uncaused[];
  /** The same within one: what faults cost. */
  readonly caused: number;
  /** The latest use that was allowed though a change that had returned denied it, milliseconds behind that return. */
  readonly latest: { readonly calmMs: number; readonly faultyMs: number };
}

/** One state of a token, and when it could be seen by whoever looks at the truth itself. */
interface Span {
  readonly state: TokenState;
  readonly from: number;
  /** When the change that ended it had returned; infinite for the last one and where nobody knows. */
  readonly until: number;
  readonly by: ChangeEvent;
}

/** Judges a whole history; its lines may stand in any order. */
export function check(history: Iterable<HistoryEvent>, bounds: Bounds): Verdict {
  const events = sorted(history);
  const spans = new Map([...events.changes].map(([token, changes]) => [token, toSpans(changes)]));
  const violations: Violation[] = [];
  const latest = { calmMs: 0, faultyMs: 0 };
  const during = faultFinder(events.faults, bounds.recoveryMs);
  for (const use of events.uses) {
    const known = spans.get(use.token) ?? [];
    const late = lateMs(known, use);
    if (late > 0) {
      const kind = during(use.startedAt - late, use.endedAt) ? 'faultyMs' : 'calmMs';
      latest[kind] = Math.max(latest[kind], late);
    }
    const violation = judgeUse(known, use, bounds, late);
    if (violation !== null) violations.push(violation);
  }
  for (const seen of events.seen) {
    const violation = judgeSeen(spans.get(seen.token) ?? [], seen);
    if (violation !== null) violations.push(violation);
  }
  for (const change of [...events.changes.values()].flat()) {
    if (change.endedAt === null)
      violations.push({ rule: 'change never confirmed', story: JSON.stringify(change) });
  }
  const failed = [...events.uses, ...events.calls].filter(({ outcome }) =>
    ['fault', 'silent'].includes(outcome),
  );
  const uncaused = failed.filter(({ startedAt, endedAt }) => !during(startedAt, endedAt));
  return { violations, uncaused, caused: failed.length - uncaused.length, latest };
}

interface Sorted {
  readonly changes: ReadonlyMap<string, ChangeEvent[]>;
  readonly uses: readonly UseEvent[];
  readonly calls: readonly CallEvent[];
  readonly seen: readonly SeenEvent[];
  readonly faults: readonly FaultEvent[];
}

function sorted(history: Iterable<HistoryEvent>): Sorted {
  const changes = new Map<string, ChangeEvent[]>();
  const [uses, calls, seen, faults]: [UseEvent[], CallEvent[], SeenEvent[], FaultEvent[]] = [[], [], [], []];
  for (const event of history) {
    if (event.kind === 'change') changes.set(event.token, [...(changes.get(event.token) ?? []), event]);
    else if (event.kind === 'use') uses.push(event);
    else if (event.kind === 'call') calls.push(event);
    else if (event.kind === 'seen') seen.push(event);
    else faults.push(event);
  }
  for (const list of changes.values()) list.sort((one, other) => one.startedAt - other.startedAt);
  return { changes, uses, calls, seen, faults };
}

function toSpans(changes: readonly ChangeEvent[]): readonly Span[] {
  const spans: Span[] = [];
  let state: TokenState = {
    generation: -1,
    enabled: false,
    writes: false,
    revoked: false,
    ownerEnabled: false,
  };
  for (const [at, change] of changes.entries()) {
    state = { ...state, ...change.to };
    const next = changes[at + 1];
    const until = next === undefined ? Number.POSITIVE_INFINITY : (next.endedAt ?? Number.POSITIVE_INFINITY);
    spans.push({ state, from: change.startedAt, until, by: change });
  }
  return spans;
}

function allows(state: TokenState, use: Pick<UseEvent, 'generation' | 'way'>): boolean {
  const { generation, enabled, writes, revoked, ownerEnabled } = state;
  if (generation !== use.generation || !enabled || revoked || !ownerEnabled) return false;
  return use.way === 'read' || writes;
}

/** States that somebody may rightly have believed in at some moment of the use, if what they knew is `slackMs` old. */
function believable(spans: readonly Span[], startedAt: number, endedAt: number, slackMs: number): Span[] {
  return spans.filter(({ from, until }) => from <= endedAt && until >= startedAt - slackMs);
}

/** How long before an allowed use the last state that allows it had ended; 0 or less where one still stood. */
function lateMs(spans: readonly Span[], use: UseEvent): number {
  if (use.outcome !== 'allowed') return 0;
  const allowing = spans.filter(({ state, from }) => from <= use.endedAt && allows(state, use));
  return use.startedAt - Math.max(Number.NEGATIVE_INFINITY, ...allowing.map(({ until }) => until));
}

function judgeUse(
  spans: readonly Span[],
  use: UseEvent,
  { promisedMs }: Bounds,
  late: number,
): Violation | null {
  if (use.outcome === 'allowed') {
    if (late <= promisedMs) return null;
    return { rule: 'allowed too late', story: `${Math.round(late)} ms: ${tell(use, spans)}` };
  }
  if (use.outcome !== 'refused' && use.outcome !== 'forbidden') return null;
  const believed = believable(spans, use.startedAt, use.endedAt, promisedMs);
  if (believed.length === 0 || !believed.every(({ state }) => allows(state, use))) return null;
  return { rule: 'refused a valid token', story: tell(use, spans) };
}

/** Reads go to the store: what they show may be no older than their beginning. */
function judgeSeen(spans: readonly Span[], seen: SeenEvent): Violation | null {
  const { state } = seen;
  const possible = believable(spans, seen.startedAt, seen.endedAt, 0);
  const fits =
    state !== null &&
    possible.some((span) =>
      Object.entries(state).every(([field, value]) => span.state[field as keyof TokenState] === value),
    );
  return fits ? null : { rule: 'change lost', story: tell(seen, spans) };
}

function tell(event: UseEvent | SeenEvent, spans: readonly Span[]): string {
  const changes = spans.map(
    ({ by }) => `${by.what} ${Math.round(by.startedAt)}–${Math.round(by.endedAt ?? 0)}`,
  );
  return `${JSON.stringify(event)} after ${changes.join(', ')}`;
}

/** Whether anything was broken, or just mended, at some moment of a time. */
function faultFinder(
  faults: readonly FaultEvent[],
  recoveryMs: number,
): (startedAt: number, endedAt: number) => boolean {
  return (startedAt, endedAt) =>
    faults.some((fault) => fault.startedAt <= endedAt && fault.endedAt + recoveryMs >= startedAt);
}
