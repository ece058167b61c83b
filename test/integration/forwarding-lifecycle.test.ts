import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { endAll } from '../support/end-all.ts';
import { eventually, within } from '../support/eventually.ts';
import { route, startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange, head, openRaw } from '../support/raw-client.ts';
import { replying, startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordedRequest, RecordingBackend } from '../support/recording-backend.ts';

describe('reload and shutdown', () => {
  let first: RecordingBackend;
  let second: RecordingBackend;
  before(async () => {
    first = await startRecordingBackend();
    second = await startRecordingBackend();
  });
  after(() =>
    endAll(
      () => first?.close(),
      () => second?.close(),
    ),
  );
  beforeEach(() => {
    for (const [backend, name] of [
      [first, 'first'],
      [second, 'second'],
    ] as const) {
      backend.forget();
      backend.answerWith(replying(200, name));
    }
  });

  interface Running {
    readonly gateway: Gateway;
    readonly authorization: string;
    readonly ask: () => Promise<string>;
  }

  async function start(t: TestContext, limits: Readonly<Record<string, string>> = {}): Promise<Running> {
    const gateway = await startGateway({ backend: first.url, config: { limits } });
    t.after(() => gateway.stop());
    await gateway.user('alice');
    const authorization = `Authorization: Bearer ${await gateway.token()}`;
    const ask = async (): Promise<string> =>
      (await exchange(gateway.port, 'GET', '/dav/a', [authorization])).body.toString();
    return { gateway, authorization, ask };
  }

  /** A backend that answers only when told to. */
  function holdAnswers(backend: RecordingBackend): () => void {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    backend.answerWith({
      message(request: RecordedRequest, socket) {
        void released.then(() => replying(200, 'held').message?.(request, socket));
      },
    });
    return release;
  }

  test('HUP puts a new configuration in force without cutting a request in flight', async (t) => {
    const { gateway, authorization, ask } = await start(t);
    const release = holdAnswers(first);
    const arrived = first.nextHead();
    const held = exchange(gateway.port, 'GET', '/dav/held', [authorization]);
    await arrived;
    await gateway.rewriteConfig({ routes: [route({ backend: second.url })] });
    gateway.hup();
    // A request sent before that would be held as well.
    await eventually('the reload to be told', async () =>
      gateway.output().includes('configuration reloaded'),
    );
    assert.equal(await ask(), 'second');
    assert.equal(await gateway.metric('latchkey_config_last_reload_successful'), 1);
    release();
    assert.equal((await held).body.toString(), 'held');
  });

  for (const [what, change] of [
    ['is no YAML', { text: 'routes: [' }],
    ['has an unknown key', { lisen: { port: 1 } }],
    ['lacks a backend', { routes: [{ name: 'files' }] }],
  ] as const) {
    test(`HUP with a file that ${what} keeps the old configuration and says why`, async (t) => {
      const { gateway, ask } = await start(t);
      const before = gateway.output().length;
      await gateway.rewriteConfig(change);
      gateway.hup();
      await eventually('the metric to say so', async () => {
        return (await gateway.metric('latchkey_config_last_reload_successful')) === 0;
      });
      assert.equal(await ask(), 'first');
      assert.match(gateway.output().slice(before), /latchkey\.yaml/);
      assert.equal(await gateway.adminStatus('/readyz'), 200);
    });
  }

  test('HUP while a small body is still arriving: the upload is served as if nothing had happened', async (t) => {
    const { gateway, authorization, ask } = await start(t);
    const raw = await openRaw(gateway.port);
    await raw.send(head('PUT', '/dav/small', [authorization, 'Content-Length: 10']));
    await raw.send('01234');
    // Another request answered means that the head before it was read.
    assert.equal(await ask(), 'first');
    await gateway.rewriteConfig({ routes: [route({ backend: second.url })] });
    gateway.hup();
    await eventually('the new backend to be asked', async () => (await ask()) === 'second');
    await raw.send('56789');
    assert.equal(status(await raw.nextResponse()), 200);
    raw.destroy();
  });

  test('tokens keep working across HUP, and a token made after it works too', async (t) => {
    const { gateway, ask } = await start(t);
    await gateway.rewriteConfig({ routes: [route({ backend: second.url })] });
    gateway.hup();
    await eventually('the new backend to be asked', async () => (await ask()) === 'second');
    const later = await gateway.token({ scopes: ['path:/dav/:r'] });
    const answer = await exchange(gateway.port, 'GET', '/dav/a', [`Authorization: Bearer ${later}`]);
    assert.equal(status(answer), 200);
  });

  test('TERM: /readyz turns 503, the request in flight finishes, then the process exits with 0', async (t) => {
    const { gateway, authorization } = await start(t);
    const release = holdAnswers(first);
    const arrived = first.nextHead();
    const held = exchange(gateway.port, 'GET', '/dav/held', [authorization]);
    await arrived;
    gateway.term();
    await eventually('/readyz to say 503', async () => (await gateway.adminStatus('/readyz')) === 503);
    release();
    const answer = await held;
    assert.equal(status(answer), 200);
    assert.equal(answer.body.toString(), 'held');
    assert.deepEqual(await within('the exit', 10_000, gateway.exited), { code: 0, signal: null });
  });

  test('TERM: an upload in flight arrives whole', async (t) => {
    const { gateway, authorization } = await start(t);
    const arrived = first.nextHead();
    const raw = await openRaw(gateway.port);
    // Large enough to be streamed: a small one is read whole before the backend is asked.
    await raw.send(head('PUT', '/dav/big', [authorization, 'Content-Length: 80000']));
    await raw.send('x'.repeat(40_000));
    await arrived;
    gateway.term();
    await eventually('/readyz to say 503', async () => (await gateway.adminStatus('/readyz')) === 503);
    await raw.send('x'.repeat(40_000));
    assert.equal(status(await raw.nextResponse()), 200);
    assert.equal(first.requests[0]?.body.length, 80_000);
    assert.deepEqual(await within('the exit', 10_000, gateway.exited), { code: 0, signal: null });
  });

  test('TERM: idle connections do not hold the process, and one that never finishes is cut after the drain time', async (t) => {
    const { gateway, authorization } = await start(t, { drain: '1s' });
    const idle = await openRaw(gateway.port);
    first.answerWith({});
    const endless = await openRaw(gateway.port);
    const arrived = first.nextRequest();
    await endless.send(head('GET', '/dav/endless', [authorization]));
    await arrived;
    gateway.term();
    assert.deepEqual(await within('the exit', 10_000, gateway.exited), { code: 0, signal: null });
    await within('the cut', 1_000, Promise.all([idle.closed, endless.closed]));
  });
});
