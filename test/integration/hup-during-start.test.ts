import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Child, startChild } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

const mainFile = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let scratch: Scratch;
/** A pipe that holds up whoever reads it, which is how these tests know how far the start has come. */
let pipe: string;
let child: Child | null = null;
beforeEach(async () => {
  scratch = await makeScratch('hup');
  pipe = scratch.file('pipe');
  await promisify(execFile)('mkfifo', [pipe]);
});
afterEach(async () => {
  await child?.stop();
  await scratch.remove();
});

function startServe(nodeArgs: readonly string[], configFile: string): Child {
  child = startChild({
    label: 'latchkey serve',
    command: process.execPath,
    args: [...nodeArgs, mainFile, 'serve', '--config', configFile],
    cwd: scratch.path,
  });
  return child;
}

async function configText(routeName: string): Promise<string> {
  return JSON.stringify({
    listen: { host: '127.0.0.1', port: await freePort() },
    admin: { port: await freePort() },
    routes: [{ name: routeName, backend: 'http://127.0.0.1:1' }],
  });
}

/** Waits for a reader at the pipe, does what is to be done while it is held up, and lets it go with a text. */
async function whileReading(work: () => void, text: string): Promise<void> {
  const reader = async () => {
    try {
      // Fails where nobody reads, where otherwise it would wait for good.
      return await open(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      return null;
    }
  };
  let handle = await reader();
  await eventually('the pipe to be read', async () => (handle ??= await reader()) !== null, {
    withinMs: 20_000,
  });
  work();
  await handle?.write(text);
  await handle?.close();
}

test('a HUP while the program is being loaded does not end the start', async () => {
  await writeFile(
    scratch.file('hold.mjs'),
    `import { readFileSync } from 'node:fs';
     import { registerHooks } from 'node:module';
     registerHooks({
       load(url, context, next) {
         if (url.endsWith('/cli/program.ts')) readFileSync(${JSON.stringify(pipe)});
         return next(url, context);
       },
     });`,
  );
  await writeFile(scratch.file('latchkey.yaml'), await configText('files'));
  const serve = startServe(['--import', scratch.file('hold.mjs')], scratch.file('latchkey.yaml'));
  await whileReading(() => serve.signal('SIGHUP'), 'go');
  await serve.waitForOutput(/latchkey listens on port/);
  assert.deepEqual(await serve.stop(), { code: 0, signal: null });
});

test('a HUP while the gateway starts is obeyed once it runs', async () => {
  const serve = startServe([], pipe);
  await whileReading(() => serve.signal('SIGHUP'), await configText('before'));
  await serve.waitForOutput(/\(before\)/);
  await whileReading(() => undefined, await configText('after'));
  await serve.waitForOutput(/configuration reloaded/);
  assert.deepEqual(await serve.stop(), { code: 0, signal: null });
});
