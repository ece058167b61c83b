import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { runCommand } from '../support/command-line.ts';
import { endAll } from '../support/end-all.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';
import { mountSmallDisk, requireSmallDisk } from '../support/small-disk.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

describe('a log that cannot be written', () => {
  let backend: RecordingBackend;
  let scratch: Scratch;
  let configFile: string;
  let [port, adminPort] = [0, 0];
  let authorization: string;
  let child: ChildProcess | null = null;
  before(async () => {
    backend = await startRecordingBackend();
    scratch = await makeScratch('log-outages');
    configFile = scratch.file('latchkey.yaml');
  });
  after(() =>
    endAll(
      () => backend?.close(),
      () => scratch?.remove(),
    ),
  );
  beforeEach(async () => {
    [port, adminPort] = [await freePort(), await freePort()];
    const config = {
      listen: { host: '127.0.0.1', port },
      admin: { port: adminPort },
      dataDir: scratch.file('data'),
      backend: backend.url,
    };
    await writeFile(configFile, JSON.stringify(config));
    await command('user', 'add', `user-${port}`);
    const token = ['--user', `user-${port}`, '--name', 'x', '--scope', '*', '--quiet'];
    authorization = `Authorization: Bearer ${(await command('token', 'create', ...token)).trim()}`;
  });
  afterEach(end);

  async function end(): Promise<void> {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const closed = once(child, 'close');
    child.kill('SIGKILL');
    await closed;
  }

  async function command(...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await runCommand([...args, '--config', configFile], {
      cwd: scratch.path,
    });
    assert.equal(exitCode, 0, stderr);
    return stdout;
  }
  async function serve(output: 'pipe' | number): Promise<ChildProcess> {
    const started = spawn(process.execPath, [main, 'serve', '--config', configFile], {
      stdio: ['ignore', output, output],
    });
    child = started;
    await eventually('the gateway', async () => (await admin('/readyz')).startsWith('HTTP/1.1 200'), {
      withinMs: 60_000,
    });
    return started;
  }
  const admin = async (target: string): Promise<string> => {
    const { startLine, body } = await exchange(adminPort, 'GET', target);
    return `${startLine}\n${body.toString()}`;
  };
  const dropped = async (): Promise<number> =>
    Number(/^latchkey_log_lines_dropped_total (\d+)$/m.exec(await admin('/metrics'))?.[1]);
  const ask = async (): Promise<number> => status(await exchange(port, 'GET', '/a', [authorization]));
  async function assertEnds(gateway: ChildProcess): Promise<void> {
    const closed = once(gateway, 'close');
    gateway.kill('SIGTERM');
    assert.deepEqual(await closed, [0, null]);
  }

  test('because its reader is gone costs its lines, which are counted, and no request', async () => {
    const gateway = await serve('pipe');
    gateway.stdout?.destroy();
    gateway.stderr?.destroy();
    await eventually('lines to be lost', async () => (await ask()) === 200 && (await dropped()) > 0);
    gateway.kill('SIGHUP');
    assert.equal(await ask(), 200);
    await assertEnds(gateway);
  });

  test(
    'because its disk is full costs its lines, which are counted, and no request; it goes on once there is room',
    requireSmallDisk(),
    async (t) => {
      const disk = await mountSmallDisk(65_536);
      t.after(() => endAll(end, () => disk.remove()));
      const log = openSync(disk.file('log'), 'a');
      const gateway = await serve(log);
      closeSync(log);
      disk.fill();
      await eventually('lines to be lost', async () => (await ask()) === 200 && (await dropped()) > 3, {
        withinMs: 30_000,
      });
      gateway.kill('SIGHUP');
      assert.equal(await ask(), 200);
      await disk.makeRoom();
      await eventually('the loss to stand in the log', async () => {
        assert.equal(await ask(), 200);
        return (await readFile(disk.file('log'), 'utf8')).includes('log lines were dropped');
      });
      await assertEnds(gateway);
    },
  );
});
