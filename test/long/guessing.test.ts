import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { systemRandom } from '../../src/core/random.ts';
import { mintToken } from '../../src/tokens/mint.ts';
import { endAll } from '../support/end-all.ts';
import { basic, route, startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { head, openRaw } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordingBackend } from '../support/recording-backend.ts';

const phaseMs = 10_000;
const goodPerSecond = 10;
const keptMin = 0.9;
/** Requests written at once where the sender has fallen behind. */
const burstMax = 25;

/** Answers by status. */
type Counts = Readonly<Record<number, number>>;

/** Asks `perSecond` times a second for `phaseMs`, over so many connections, each waiting for its answers. */
async function paced(port: number, perSecond: number, lanes: number, request: () => string): Promise<Counts> {
  const counts: Record<number, number> = {};
  const begun = performance.now();
  let sent = 0;
  const drive = async (): Promise<void> => {
    const raw = await openRaw(port);
    for (;;) {
      const elapsed = performance.now() - begun;
      if (elapsed >= phaseMs) break;
      const due = Math.min(burstMax, Math.ceil((elapsed / 1_000) * perSecond - sent));
      if (due <= 0) {
        await pause(2);
        continue;
      }
      sent += due;
      await raw.send(Array.from({ length: due }, request).join(''));
      for (let answer = 0; answer < due; answer++) {
        const code = status(await raw.nextResponse(30_000));
        counts[code] = (counts[code] ?? 0) + 1;
      }
    }
    raw.destroy();
  };
  await Promise.all(Array.from({ length: lanes }, drive));
  return counts;
}

/** CPU time of a process so far, all its threads, milliseconds; Linux counts it in hundredths of a second. */
async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

describe('valid tokens during a storm of guesses', () => {
  let backend: RecordingBackend;
  let gateway: Gateway;
  let good: string;
  before(async () => {
    backend = await startRecordingBackend();
    gateway = await startGateway({
      routes: [
        route({ backend: backend.url }),
        route({ name: 'open', match: { path: '/open/' }, backend: backend.url, mainPassword: 'allow' }),
      ],
      config: { trustedProxies: ['127.0.0.1'] },
    });
    await gateway.user('alice', 'the main password of alice');
    good = head('GET', '/open/file', [`Authorization: ${basic('alice', await gateway.token())}`]);
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.close(),
    ),
  );

  const goodTraffic = (): Promise<Counts> => paced(gateway.port, goodPerSecond, 1, () => good);

  /** Good traffic alone, then beside a storm: nothing refused, and at least 90 % of the rate kept. */
  async function assertUnharmed(t: TestContext, storm: () => Promise<Counts>): Promise<Counts> {
    const alone = await goodTraffic();
    const before = await cpuMs(gateway.pid);
    const [beside, bad] = await Promise.all([goodTraffic(), storm()]);
    const spentMs = (await cpuMs(gateway.pid)) - before;
    const answered = Object.values(bad).reduce((sum, count) => sum + count, 0);
    t.diagnostic(`good alone ${JSON.stringify(alone)}, beside the storm ${JSON.stringify(beside)}`);
    t.diagnostic(`storm ${JSON.stringify(bad)}: ${((spentMs * 1_000) / answered).toFixed(0)} µs of CPU each`);
    assert.deepEqual(Object.keys(alone), ['200']);
    assert.deepEqual(Object.keys(beside), ['200']);
    assert.ok((beside[200] ?? 0) >= keptMin * (alone[200] ?? 0));
    return bad;
  }

  test('of a hundred random credentials for each good request, from the same address', async (t) => {
    let at = 0;
    const bad = await assertUnharmed(t, () =>
      paced(gateway.port, goodPerSecond * 100, 4, () => {
        at++;
        const secret = at % 2 === 0 ? mintToken(systemRandom) : `guess ${at}`;
        const field = at % 3 === 0 ? basic('alice', secret) : basic(`user ${at}`, secret);
        return head('GET', '/file', [`Authorization: ${field}`]);
      }),
    );
    const { 401: refused = 0, 429: limited = 0, ...other } = bad;
    assert.deepEqual(other, {});
    assert.ok(refused <= 100, 'no more than may fail before waiting is the answer');
    assert.ok(limited > 1_000, 'the storm was one');
  });

  test('of main passwords at one account from everywhere', async (t) => {
    let at = 0;
    const bad = await assertUnharmed(t, () =>
      paced(gateway.port, goodPerSecond * 20, 8, () => {
        at++;
        const from = `203.0.${at >> 8}.${at & 255}`;
        const fields = [`Authorization: ${basic('bob', `guess ${at}`)}`, `X-Forwarded-For: ${from}`];
        return head('GET', '/open/file', fields);
      }),
    );
    assert.equal(bad[401], 10);
    assert.deepEqual(Object.keys(bad), ['401', '429']);
  });

  test('of main passwords at ever new accounts from ever new addresses, which no count can stop', async (t) => {
    let at = 0;
    const bad = await assertUnharmed(t, () =>
      paced(gateway.port, goodPerSecond * 20, 100, () => {
        at++;
        const from = `10.0.${at >> 8}.${at & 255}`;
        const fields = [`Authorization: ${basic(`user ${at}`, `guess ${at}`)}`, `X-Forwarded-For: ${from}`];
        return head('GET', '/open/file', fields);
      }),
    );
    assert.deepEqual(
      Object.keys(bad).filter((code) => code !== '401' && code !== '503'),
      [],
    );
  });
});
