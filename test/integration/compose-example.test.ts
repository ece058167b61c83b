import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chown, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run, startChild, type Child } from '../support/child-process.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { basic } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { requirePostgres, startPostgres, type PostgresServer } from '../support/postgres.ts';
import { exchange } from '../support/raw-client.ts';
import { startRedis, type RedisServer } from '../support/redis-server.ts';
import { findProgram, requireProgram } from '../support/requirement.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

const root = join(import.meta.dirname, '../..');
const main = join(root, 'src/main.ts');
const needed = requireProgram('apache2', 'redis-server', 'openssl');

// There is no engine in tests: the same servers, as processes with the same files.
describe('what examples/compose puts together', needed.skip === false ? requirePostgres() : needed, () => {
  let scratch: Scratch;
  let postgres: PostgresServer;
  let redis: RedisServer;
  const children: Child[] = [];
  const [gatewayPort, adminPort, webdavPort] = [freePort(), freePort(), freePort()];
  let authorization: string;

  const latchkey = async (...args: readonly string[]): Promise<string> => {
    const label = `latchkey ${args.join(' ')}`;
    const config = ['--config', scratch.file('latchkey.yaml')];
    const done = await run({ label, command: process.execPath, args: [main, ...args, ...config] });
    assert.equal(done.code, 0, `${label}: ${done.stderr}`);
    return done.stdout.trim();
  };

  before(async () => {
    scratch = await makeScratch('compose');
    await cp(join(root, 'examples/compose'), scratch.path, { recursive: true });
    await run({ label: 'make-secrets.sh', command: 'sh', args: [scratch.file('make-secrets.sh')] });
    const password = await readFile(scratch.file('secrets/store-password'), 'utf8');
    postgres = await startPostgres({ password });
    redis = await startRedis();
    await startWebdav(scratch, await webdavPort, children);
    const database = await postgres.createDatabase();
    const text = (await readFile(scratch.file('latchkey.yaml'), 'utf8'))
      .replace('postgres://latchkey@postgres:5432/latchkey', postgres.url(database))
      .replace('redis://redis:6379', redis.url)
      .replace('http://webdav:80', `http://127.0.0.1:${await webdavPort}`)
      .replace('/var/lib/latchkey', scratch.file('data'))
      .replaceAll('/run/secrets', scratch.file('secrets'));
    const ports = `listen: { host: 127.0.0.1, port: ${await gatewayPort} }\nadmin: { port: ${await adminPort} }\n`;
    await writeFile(scratch.file('latchkey.yaml'), ports + text);
    await latchkey('user', 'add', 'alice');
    const token = await latchkey(
      'token',
      'create',
      '--user',
      'alice',
      '--name',
      'laptop',
      '--scope',
      '*',
      '--quiet',
    );
    authorization = `Authorization: ${basic('alice', token)}`;
    const gateway = startChild({
      label: 'latchkey serve',
      command: process.execPath,
      args: [main, 'serve', '--config', scratch.file('latchkey.yaml')],
    });
    children.push(gateway);
    const isReady = async (): Promise<boolean> =>
      exchange(await adminPort, 'GET', '/readyz').then(
        (answer) => status(answer) === 200,
        () => false,
      );
    await eventually('the gateway to be ready', isReady, { withinMs: 60_000, everyMs: 50 });
  });
  after(async () => {
    for (const child of children.toReversed()) await child.stop();
    await redis.stop();
    await postgres.stop();
    await scratch.remove();
  });

  test('keeps a file that a token brings, and gives it back', async () => {
    const put = await exchange(await gatewayPort, 'PUT', '/note.txt', [authorization], 'hi');
    assert.equal(status(put), 201);
    const got = await exchange(await gatewayPort, 'GET', '/note.txt', [authorization]);
    assert.equal(got.body.toString(), 'hi');
    assert.equal(status(await exchange(await gatewayPort, 'GET', '/note.txt')), 401);
  });

  test('has a WebDAV server that answers nobody without X-Remote-User', async () => {
    assert.equal(status(await exchange(await webdavPort, 'GET', '/')), 403);
  });
});

async function startWebdav(scratch: Scratch, port: number, children: Child[]): Promise<void> {
  await symlink('/usr/lib/apache2/modules', scratch.file('modules'));
  for (const name of ['files', 'locks']) {
    await mkdir(scratch.file(name));
    if (process.getuid?.() !== 0) continue;
    // Apache does not serve as root: its children become www-data.
    const [user, group] = ['-u', '-g'].map((kind) => Number(execFileSync('id', [kind, 'www-data'])));
    await chown(scratch.file(name), user ?? 0, group ?? 0);
  }
  const text = (await readFile(scratch.file('httpd.conf'), 'utf8'))
    .replace('/usr/local/apache2', scratch.path)
    .replace('Listen 80', `Listen 127.0.0.1:${port}`)
    .replace('/tmp/httpd.pid', scratch.file('httpd.pid'))
    .replace('/proc/self/fd/2', scratch.file('error.log'))
    .replaceAll('/srv/', `${scratch.path}/`);
  await writeFile(scratch.file('httpd.conf'), text);
  const args = ['-DFOREGROUND', '-f', scratch.file('httpd.conf')];
  const child = startChild({ label: 'apache2', command: findProgram('apache2') ?? 'apache2', args });
  children.push(child);
  await child.waitForPort(port, 20_000);
}
