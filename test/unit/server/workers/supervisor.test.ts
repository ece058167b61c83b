import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, mock, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Config } from '../../../../src/config/config.ts';
import type { News, Serving, ToWorker } from '../../../../src/server/workers/messages.ts';
import { Supervisor } from '../../../../src/server/workers/supervisor.ts';
import { WorkerFailure } from '../../../../src/server/workers/worker-failure.ts';
import type { WorkerEnd, WorkerProcess } from '../../../../src/server/workers/worker-process.ts';
import { steppedClock } from '../../../support/stepped-clock.ts';

/** A process that does what the test says. */
interface ToldWorker extends WorkerProcess {
  readonly slot: number;
  readonly sent: readonly ToWorker[];
  say(news: News): void;
  end(how: WorkerEnd): void;
}

const serving: Serving = {
  kind: 'ready',
  port: 1,
  doors: { port: null, grpcPort: null },
  assertionKeys: '{"keys":[]}',
};

function toldWorker(slot: number): ToldWorker {
  const sent: ToWorker[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<WorkerEnd>();
  let hear: (news: News) => void = () => undefined;
  return {
    ...{ slot, sent, ended, end, pid: slot },
    say: (news) => hear(news),
    send: (message) => void sent.push(message),
    listen: (heard) => {
      hear = heard;
    },
    ask: (_question, _asked) => Promise.resolve({ answer: null as never }),
    kill: () => end({ code: null, signal: 'SIGKILL' }),
  };
}

describe('a supervisor', () => {
  let workers: ToldWorker[];
  let complaints: string[];
  beforeEach(() => {
    mock.timers.enable({ apis: ['setInterval', 'setTimeout'] });
    workers = [];
    complaints = [];
  });
  afterEach(() => mock.timers.reset());

  const configOf = (count: number): Config => ({ workers: count, limits: { drainMs: 1_000 } }) as Config;
  const newest = (): ToldWorker => workers.at(-1) ?? assert.fail('no worker was started');

  function supervise(count: number): Supervisor {
    return new Supervisor({
      clock: steppedClock(),
      config: configOf(count),
      log: {
        info: () => undefined,
        error: ({ error }, message) => void complaints.push(`${message}: ${String(error)}`),
      },
      fork(slot) {
        const worker = toldWorker(slot);
        workers.push(worker);
        return worker;
      },
      begin: () => undefined,
      reload: () => Promise.resolve(),
      release: () => undefined,
      heard: () => undefined,
      left: () => undefined,
    });
  }

  /** Two that serve. */
  async function started(): Promise<Supervisor> {
    const supervisor = supervise(2);
    const start = supervisor.start();
    newest().say(serving);
    await nextTurn();
    newest().say(serving);
    await start;
    return supervisor;
  }

  /** In steps, between which answers arrive. */
  async function pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 1_000) {
      mock.timers.tick(1_000);
      await nextTurn();
    }
  }

  /** And another is started in its place. */
  async function dies(worker: ToldWorker): Promise<void> {
    worker.end({ code: 1, signal: null });
    await nextTurn();
    await pass(1_000);
    assert.notEqual(newest(), worker);
  }

  test('kills a worker that is stuck in its start after three minutes, and starts another', async () => {
    const supervisor = await started();
    await dies(newest());
    const stuck = newest();
    stuck.say({ kind: 'hello' });
    await pass(178_000);
    assert.equal(newest(), stuck);
    await pass(4_000);
    assert.deepEqual(await stuck.ended, { code: null, signal: 'SIGKILL' });
    assert.match(complaints.at(-1) ?? '', /did not come to serve within 3 minutes and was killed: look at/);
    assert.notEqual(newest(), stuck);
    newest().say(serving);
    await nextTurn();
    assert.equal(supervisor.ready.length, 2);
    await pass(200_000);
    assert.equal(workers.length, 4, 'those that serve are left alone');
  });

  test('gives the first worker longer than a migration may take, and says what it may wait for', async () => {
    const start = supervise(2).start();
    const outcome = start.then(
      () => 'started',
      (error: unknown) => error,
    );
    await pass(2_090_000);
    assert.equal(workers.length, 1);
    await pass(20_000);
    const failure = await outcome;
    assert.ok(failure instanceof WorkerFailure);
    assert.match(failure.message, /within 35 minutes and was killed: look at .* the store/);
    assert.deepEqual(await newest().ended, { code: null, signal: 'SIGKILL' });
  });

  test('lets go of a worker that was just starting in a place that a reload takes away', async () => {
    const supervisor = await started();
    await dies(newest());
    const starting = newest();
    const replaced = supervisor.replaceAll(configOf(1));
    await nextTurn();
    newest().say(serving);
    await nextTurn();
    starting.say(serving);
    await replaced;
    assert.equal(supervisor.wanted, 1);
    assert.equal(supervisor.ready.length, 1);
    assert.deepEqual(
      starting.sent.map(({ kind }) => kind),
      ['drain'],
    );
  });
});
