import assert from 'node:assert/strict';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startApache } from '../support/apache.ts';
import type { Apache } from '../support/apache.ts';
import { run } from '../support/child-process.ts';
import type { Finished } from '../support/child-process.ts';
import { endAll } from '../support/end-all.ts';
import { startGateway } from '../support/gateway.ts';
import type { Gateway } from '../support/gateway.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';
import type { Scratch } from '../support/scratch.ts';

const MiB = 1024 ** 2;

interface Curled extends Finished {
  /** Statuses of all responses, interim ones included. */
  readonly statuses: readonly number[];
  /** Body bytes that curl sent. */
  readonly uploaded: number;
}

async function curl(args: readonly string[], input = ''): Promise<Curled> {
  const done = await run({
    label: 'curl',
    command: 'curl',
    args: ['-q', '-s', '-v', '-w', '\n%{size_upload}', ...args],
    input,
  });
  const statuses = [...done.stderr.matchAll(/^< HTTP\/1\.[01] (\d{3})/gm)].map(([, code]) => Number(code));
  return { ...done, statuses, uploaded: Number(done.stdout.trim().split('\n').at(-1)) };
}

/** Ways to the same Apache: the control asks Apache itself to check a password. */
interface Way {
  readonly url: string;
  readonly login: string;
}

function behaves(way: () => Way, apache: () => Apache, scratch: () => Scratch): void {
  const big = (): string => scratch().file('big.bin');
  // A minute: whoever sends the body without having been told to has not waited for the answer.
  const expect = ['-H', 'Expect: 100-continue', '--expect100-timeout', '60'];

  test('an upload with Expect is refused with 401 before its body is sent', async () => {
    const done = await curl([...expect, '-T', big(), `${way().url}/refused.bin`]);
    assert.deepEqual(done.statuses, [401], done.stderr);
    assert.equal(done.uploaded, 0);
  });

  test('an upload with Expect and a wrong password is refused with 401 before its body is sent', async () => {
    const done = await curl([...expect, '-u', 'alice:wrong', '-T', big(), `${way().url}/refused.bin`]);
    assert.deepEqual(done.statuses, [401], done.stderr);
    assert.equal(done.uploaded, 0);
  });

  test('an authorized upload with Expect gets 100, sends its body and gets 201', async () => {
    const done = await curl([...expect, '-u', way().login, '-T', big(), `${way().url}/expected.bin`]);
    assert.deepEqual(done.statuses, [100, 201], done.stderr);
    assert.equal(done.uploaded, 8 * MiB);
    assert.equal((await readFile(join(apache().folder, 'expected.bin'))).length, 8 * MiB);
  });

  test('--anyauth finds Basic and sends the body once', async () => {
    const done = await curl([...expect, '--anyauth', '-u', way().login, '-T', big(), `${way().url}/any.bin`]);
    assert.deepEqual(done.statuses, [401, 100, 201], done.stderr);
    assert.equal(done.uploaded, 8 * MiB);
  });

  test('a chunked upload from standard input arrives whole', async () => {
    const done = await curl(['-u', way().login, '-T', '-', `${way().url}/piped.txt`], 'piped '.repeat(1_000));
    assert.equal(done.statuses.at(-1), 201, done.stderr);
    assert.equal(await readFile(join(apache().folder, 'piped.txt'), 'utf8'), 'piped '.repeat(1_000));
  });

  test('a range of a file comes back as 206', async () => {
    await writeFile(join(apache().folder, 'range.txt'), 'abcdefghij');
    const done = await curl(['-u', way().login, '-r', '2-4', `${way().url}/range.txt`]);
    assert.deepEqual(done.statuses, [206], done.stderr);
    assert.match(done.stdout, /^cde\n/);
  });
}

describe('curl against Apache mod_dav', requireProgram('curl', 'apache2', 'openssl'), () => {
  let scratch: Scratch;
  before(async () => {
    scratch = await makeScratch('curl');
    await writeFile(scratch.file('big.bin'), 'begin');
    await truncate(scratch.file('big.bin'), 8 * MiB);
  });
  after(async () => {
    await scratch?.remove();
  });

  describe('directly (control)', () => {
    let apache: Apache;
    before(async () => {
      apache = await startApache({ account: { user: 'alice', password: 'main' } });
    });
    after(async () => {
      await apache?.stop();
    });
    behaves(
      () => ({ url: `${apache.url}/dav`, login: 'alice:main' }),
      () => apache,
      () => scratch,
    );
  });

  describe('through the gateway', () => {
    let apache: Apache;
    let gateway: Gateway;
    let token: string;
    before(async () => {
      apache = await startApache({ requireRemoteUser: true });
      gateway = await startGateway({ backend: apache.url, route: { host: 'backend' } });
      await gateway.user('alice');
      token = await gateway.token();
    });
    after(() =>
      endAll(
        () => gateway?.stop(),
        () => apache?.stop(),
      ),
    );
    behaves(
      () => ({ url: `${gateway.url}/dav`, login: `alice:${token}` }),
      () => apache,
      () => scratch,
    );

    test('the token works as Bearer too', async () => {
      await writeFile(join(apache.folder, 'bearer.txt'), 'carried');
      const done = await curl(['-H', `Authorization: Bearer ${token}`, `${gateway.url}/dav/bearer.txt`]);
      assert.deepEqual(done.statuses, [200], done.stderr);
    });

    test('an upload with Expect by a read-only token is refused with 403 before its body is sent', async () => {
      const reader = await gateway.token({ scopes: ['path:/dav/:r'] });
      const done = await curl([
        ...['-H', 'Expect: 100-continue', '--expect100-timeout', '60', '-u', `alice:${reader}`],
        ...['-T', scratch.file('big.bin'), `${gateway.url}/dav/refused.bin`],
      ]);
      assert.deepEqual(done.statuses, [403], done.stderr);
      assert.equal(done.uploaded, 0);
    });
  });
});
