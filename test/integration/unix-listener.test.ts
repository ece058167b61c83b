import assert from 'node:assert/strict';
import { existsSync, statSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { bindSocketFile, listenAtSocketFile } from '../../src/server/socket-file.ts';
import { type ClientTunnel, startClientTunnel } from '../support/client-tunnel.ts';
import { endAll } from '../support/end-all.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { field, status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

describe('a gateway that listens on a socket file', () => {
  let scratch: Scratch;
  let backend: RecordingBackend;
  let gateway: Gateway | null = null;
  let tunnel: ClientTunnel;
  let authorization: string;
  before(async () => {
    scratch = await makeScratch('unix');
    backend = await startRecordingBackend();
    tunnel = await startClientTunnel(() => connect({ path: scratch.file('s'), allowHalfOpen: true }));
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => tunnel?.close(),
      () => backend?.close(),
      () => scratch?.remove(),
    ),
  );

  const start = async (trustedProxies: readonly string[]): Promise<Gateway> => {
    const listen = { host: undefined, port: undefined, socket: scratch.file('s'), socketMode: '0600' };
    const started = await startGateway({ backend: backend.url, listen, config: { trustedProxies } });
    gateway = started;
    await started.user('alice');
    authorization = `Authorization: Bearer ${await started.token()}`;
    return started;
  };
  const forwardedFor = async (): Promise<string | null> => {
    backend.forget();
    const answer = await exchange(tunnel.port, 'GET', '/a', [authorization, 'X-Forwarded-For: 203.0.113.7']);
    assert.equal(status(answer), 200);
    const [request] = backend.requests;
    return request === undefined ? null : (field(request, 'x-forwarded-for') ?? null);
  };

  test('serves over it, with its mode, and takes it along when it ends', async () => {
    const started = await start([]);
    assert.equal(statSync(scratch.file('s')).mode & 0o777, 0o600);
    assert.equal(await forwardedFor(), 'unix:');
    await started.stop();
    gateway = null;
    assert.equal(existsSync(scratch.file('s')), false);
  });

  test('serves over it with several workers, which share it', async () => {
    const listen = { host: undefined, port: undefined, socket: scratch.file('s'), socketMode: '0600' };
    const started = await startGateway({ backend: backend.url, listen, config: { workers: 2 } });
    gateway = started;
    assert.equal(statSync(scratch.file('s')).mode & 0o777, 0o600);
    for (const answer of await Promise.all([1, 2, 3, 4].map(() => exchange(tunnel.port, 'GET', '/a')))) {
      assert.equal(status(answer), 401);
    }
    await started.stop();
    gateway = null;
    assert.equal(existsSync(scratch.file('s')), false);
  });

  test('believes who comes over it only where unix: is trusted', async () => {
    await start(['unix:']);
    assert.equal(await forwardedFor(), '203.0.113.7, unix:');
  });
});

describe('what stands where a socket file is to be', () => {
  let scratch: Scratch;
  before(async () => {
    scratch = await makeScratch('unix-file');
  });
  after(() => scratch?.remove());

  test('the socket of a dead process is replaced', async () => {
    const path = scratch.file('dead');
    const former = createServer();
    await listenAtSocketFile(former, { path, mode: 0o660 }, 16);
    // Renamed away, it is not removed when its server closes: what a killed process leaves.
    const { renameSync } = await import('node:fs');
    renameSync(path, scratch.file('kept'));
    await new Promise((resolve) => {
      former.close(resolve);
    });
    renameSync(scratch.file('kept'), path);
    const next = createServer();
    await listenAtSocketFile(next, { path, mode: 0o660 }, 16);
    assert.equal(statSync(path).mode & 0o777, 0o660);
    await new Promise((resolve) => {
      next.close(resolve);
    });
  });

  test('the socket of a living one is left alone', async () => {
    const path = scratch.file('alive');
    const former = createServer();
    await listenAtSocketFile(former, { path, mode: 0o660 }, 16);
    await assert.rejects(
      listenAtSocketFile(createServer(), { path, mode: 0o660 }, 16),
      /another program listens on .*alive: stop it, or choose another listen\.socket/,
    );
    assert.ok(existsSync(path));
    await new Promise((resolve) => {
      former.close(resolve);
    });
  });

  test('so is one on which the workers of a living one do not listen yet', async () => {
    const path = scratch.file('bound');
    const former = await bindSocketFile({ path, mode: 0o660 });
    await assert.rejects(
      bindSocketFile({ path, mode: 0o660 }),
      /another program listens on .*bound: stop it/,
    );
    assert.ok(existsSync(path));
    former.close();
  });

  test('a file, a folder, and a folder that is not there are named', async () => {
    const at = (path: string): Promise<void> => listenAtSocketFile(createServer(), { path, mode: 0o660 }, 16);
    await writeFile(scratch.file('text'), 'precious');
    await assert.rejects(at(scratch.file('text')), /text is there and is no socket: remove it/);
    await mkdir(scratch.file('folder'));
    await assert.rejects(at(scratch.file('folder')), /folder is there and is no socket/);
    await assert.rejects(at(scratch.file('none', 's')), /the folder .*none is not there: make it/);
  });
});
