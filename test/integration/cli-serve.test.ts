import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { runCommand, type CommandOutcome } from '../support/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

let scratch: Scratch;
let other: Server;
let takenPort: number;

before(async () => {
  other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  takenPort = (other.address() as AddressInfo).port;
});
after(() => other.close());
beforeEach(async () => {
  scratch = await makeScratch('serve');
});
afterEach(() => scratch.remove());

/** A later option wins over an earlier one of the same name. */
async function serve(...args: readonly string[]): Promise<CommandOutcome> {
  const ports = ['--port', String(await freePort()), '--admin-port', String(await freePort())];
  const common = ['serve', '--backend', 'http://127.0.0.1:1', '--host', '127.0.0.1', ...ports];
  return runCommand([...common, ...args], { cwd: scratch.path });
}

test('a taken port ends the start with the port and both ways to choose another', async () => {
  const { exitCode, stdout, stderr } = await serve('--port', String(takenPort));
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.equal(
    stderr,
    `latchkey: cannot listen: another program listens on port ${takenPort}: stop it, or choose another listen.port (--port).\n`,
  );
});

test('a taken admin port names its own option', async () => {
  const { exitCode, stderr } = await serve('--admin-port', String(takenPort));
  assert.equal(exitCode, 1);
  assert.match(stderr, /port \d+: stop it, or choose another admin\.port \(--admin-port\)\.$/m);
});

test('an address that is not of this machine is told with the option for hosts', async () => {
  const { exitCode, stderr } = await serve('--host', '192.0.2.1');
  assert.equal(exitCode, 1);
  assert.match(
    stderr,
    /the address for port \d+ is not one of this machine: check listen\.host \(--host\)\.$/m,
  );
});

test('a host that no name server knows is told in one sentence', async () => {
  // Too long a label for any name server to be asked.
  const host = 'h'.repeat(64);
  const { exitCode, stderr } = await serve('--host', host);
  assert.equal(exitCode, 1);
  assert.equal(
    stderr,
    `latchkey: cannot listen: there is no host ${host}: correct listen.host (--host), or give it an address of this machine.\n`,
  );
});
