/** A gateway process and a backend that records every byte, as the tests of advisories use them. */
import assert from 'node:assert/strict';
import { runCommand } from '../support/command-line.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway, GatewayOptions } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import type { HttpMessage } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { startRecordingBackend } from '../support/recording-backend.ts';
import type { RecordedRequest, RecordingBackend } from '../support/recording-backend.ts';

/** Both ends of the gateway. */
export interface Wire {
  readonly backend: RecordingBackend;
  readonly gateway: Gateway;
  /** Runs one command beside the gateway, in this process, and resolves to what it prints; it must succeed. */
  command(...args: readonly string[]): Promise<string>;
  /** The value of a new token of alice's, with these further options; a scope is among them. */
  mint(...options: readonly string[]): Promise<string>;
  /** An Authorization field with a token of alice's, for these scopes alone. */
  bearer(...scopes: readonly string[]): Promise<string>;
  /** Sends one request and asserts that it is answered so and that not a byte reaches the backend. */
  assertRefused(
    statuses: readonly number[],
    method: string,
    target: string,
    fields: readonly string[],
  ): Promise<HttpMessage>;
  /** Sends one request, asserts that it is answered 200, and returns the one request that the backend saw. */
  assertForwarded(method: string, target: string, fields: readonly string[]): Promise<RecordedRequest>;
  stop(): Promise<void>;
}

/** Starts both; alice exists. Without routes there is one, `files` at `/`. */
export async function startWire(
  optionsFor: (backend: string) => GatewayOptions = (backend) => ({ backend }),
): Promise<Wire> {
  const backend = await startRecordingBackend();
  const gateway = await startGateway(optionsFor(backend.url)).catch(async (error: unknown) => {
    // An open server would keep the test process from ending.
    await backend.close();
    throw error;
  });
  const command = async (...args: readonly string[]): Promise<string> => {
    const argv = [...args, '--config', gateway.configFile];
    const { exitCode, stdout, stderr } = await runCommand(argv, { cwd: gateway.scratch.path });
    assert.equal(exitCode, 0, `latchkey ${args.join(' ')}: ${stderr}`);
    return stdout;
  };
  const mint = async (...options: readonly string[]): Promise<string> => {
    const name = ['--user', 'alice', '--name', 'a test', '--quiet'];
    return (await command('token', 'create', ...name, ...options)).trim();
  };
  await command('user', 'add', 'alice');
  return {
    backend,
    gateway,
    command,
    mint,
    async bearer(...scopes) {
      const options = scopes.flatMap((scope) => ['--scope', scope]);
      return `Authorization: Bearer ${await mint(...options)}`;
    },
    async assertRefused(statuses, method, target, fields) {
      backend.forget();
      const answer = await exchange(gateway.port, method, target, fields);
      const said = `${method} ${target} ${fields.join(', ')}: ${answer.startLine}`;
      assert.ok(statuses.includes(status(answer)), said);
      assert.equal(backend.text(), '', said);
      return answer;
    },
    async assertForwarded(method, target, fields) {
      backend.forget();
      const answer = await exchange(gateway.port, method, target, fields);
      assert.equal(status(answer), 200, `${method} ${target}: ${answer.startLine}`);
      assert.deepEqual(backend.violations, []);
      const [seen, ...more] = backend.requests;
      assert.ok(seen);
      assert.deepEqual(more, []);
      return seen;
    },
    async stop() {
      await backend.close();
      await gateway.stop();
    },
  };
}

/** The folder that the tokens of these tests are for, without its final slash. */
export const photos = '/dav/files/alice/Photos';
/** A file beside it. */
export const secret = '/dav/files/alice/Secret/x';
