import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { run } from '../support/child-process.ts';
import { type Gateway, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { replying, type RecordingBackend, startRecordingBackend } from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';

interface AnyAnswer {
  readonly [name: string]: unknown;
  readonly id: string;
  readonly kind: string;
  readonly state: string;
  readonly value: string;
  readonly code: string;
  readonly user: AnyAnswer;
  readonly token: AnyAnswer;
  readonly key: AnyAnswer;
  readonly items: readonly AnyAnswer[];
}

const page = await readFile(new URL('../../docs/api.md', import.meta.url), 'utf8');
const steps = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, commands = '']) => commands.trim());

describe('the walk of docs/api.md', requireProgram('curl'), () => {
  let gateway: Gateway;
  let backend: RecordingBackend;
  const env: Record<string, string> = {};
  let at = 0;

  before(async () => {
    backend = await startRecordingBackend();
    backend.answerWith(replying(200, 'a note'));
    gateway = await startGateway({ backend: backend.url });
    env['URL'] = gateway.url;
  });
  after(async () => {
    await gateway.stop();
    await backend.close();
  });

  /** Runs the next step as it stands on the page. */
  async function next(): Promise<string> {
    const commands = steps[at++];
    assert.ok(commands, 'the page has another step');
    if (commands.startsWith('latchkey ')) {
      const made = await gateway.command(commands.split(' ').slice(1));
      assert.equal(made.code, 0, made.stderr);
      return made.stdout.trim();
    }
    const done = await run({ label: 'a step', command: 'bash', args: ['-euc', commands], env });
    assert.equal(done.code, 0, done.stderr);
    return done.stdout;
  }

  const nextJson = async (): Promise<AnyAnswer> => JSON.parse(await next()) as AnyAnswer;

  test('leads from the key to the revoked token as the page says', async () => {
    env['KEY'] = (await next()).split('\n').at(-1) ?? '';
    assert.match(env['KEY'], /^lka_[\w-]{43}$/);
    assert.equal((await nextJson()).kind, 'key');
    env['OWNER'] = (await nextJson()).user.id;
    const { token, value } = await nextJson();
    [env['TOKEN'], env['ID']] = [value, token.id];
    assert.equal(await next(), 'a note');
    assert.deepEqual((await nextJson())['scopes'], ['path:/dav/alice/:rw']);
    assert.deepEqual((await nextJson())['scopes'], ['path:/dav/alice/:r']);
    assert.deepEqual(
      (await nextJson()).items.map(({ id }) => id),
      [token.id],
    );
    assert.equal((await nextJson()).state, 'revoked');
    const used = await fetch(`${gateway.url}/dav/alice/notes.txt`, {
      headers: { Authorization: `Bearer ${value}` },
    });
    assert.equal(used.status, 401);
    const events = (await next())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AnyAnswer);
    assert.deepEqual(
      events.map((event) => event['action']),
      ['token.revoke', 'token.edit', 'token.create'],
    );
    assert.deepEqual(new Set(events.map((event) => event['actor'])), new Set(['key:walk']));
    assert.equal(at, steps.length, 'every step was taken');
  });

  test('leaves no secret in anything that the gateway writes', () => {
    const output = gateway.output();
    assert.match(output, /"/);
    for (const secret of [env['KEY'] ?? '', env['TOKEN'] ?? '', '0d7c6b53-6a4e-4f0c-9d6e-0f7a3b1c5e21']) {
      assert.ok(secret.length > 16 && !output.includes(secret));
    }
  });

  test('a revoked key is refused at once', async () => {
    const headers = { Authorization: `Bearer ${env['KEY'] ?? ''}` };
    const ask = (): Promise<Response> => fetch(`${gateway.url}/.latchkey/api/v1/session`, { headers });
    const { key } = (await (await ask()).json()) as AnyAnswer;
    assert.equal((await gateway.command(['key', 'revoke', key.id])).code, 0);
    assert.equal((await ask()).status, 401);
  });

  test('wrong credentials at the API and at the backends’ doors count together', async () => {
    const ask = (path: string, secret: string): Promise<Response> =>
      fetch(gateway.url + path, { headers: { Authorization: `Basic ${btoa(`alice:${secret}`)}` } });
    for (let guess = 0; guess < 10; guess++) {
      const path = guess % 2 === 0 ? '/dav/' : '/.latchkey/api/v1/self';
      assert.equal((await ask(path, `guess ${guess}`)).status, 401);
    }
    const refused = await ask('/.latchkey/api/v1/self', 'one more');
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
  });

  test('two Authorization fields, and bodies framed twice, never reach the API', async () => {
    const twice = ['Authorization: Bearer lka_a', 'Authorization: Bearer lka_b'];
    const framed = ['Content-Length: 2', 'Transfer-Encoding: chunked'];
    for (const fields of [twice, framed]) {
      const target = '/.latchkey/api/v1/tokens';
      assert.equal(status(await exchange(gateway.port, 'POST', target, fields)), 400);
    }
  });
});
