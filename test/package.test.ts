import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run, startChild } from './support/child-process.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { exchange } from './support/raw-client.ts';
import { makeScratch, type Scratch } from './support/scratch.ts';
import { status } from './support/http-message.ts';

const root = join(import.meta.dirname, '..');
// npm and the installed command find Node through PATH: it has to be the one that runs this test.
const env = { PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter) };

describe('the npm package, packed and installed into an empty folder', () => {
  let scratch: Scratch;
  let folder: string;
  let packed: readonly string[];

  const succeed = async (command: string, ...args: readonly string[]): Promise<string> => {
    const label = [command, ...args].join(' ');
    const cwd = command === 'npx' ? folder : root;
    const done = await run({ label, command, args, cwd, env, withinMs: 300_000 });
    assert.equal(done.code, 0, `${label}:\n${done.stdout}\n${done.stderr}`);
    return done.stdout;
  };

  before(async () => {
    scratch = await makeScratch('package');
    folder = scratch.file('empty');
    await mkdir(folder);
    await succeed('npm', 'pack', '--pack-destination', scratch.path);
    packed = (await readdir(scratch.path)).filter((name) => name.endsWith('.tgz'));
    // Without install scripts: what is installed has to work as it was published.
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline'];
    await succeed('npm', 'install', '--prefix', folder, ...flags, scratch.file(...packed));
  });

  after(() => scratch.remove());

  test('is one archive', () => assert.equal(packed.length, 1));

  test('holds what runs and what is read, and no sources or tests', async () => {
    const shipped = await readdir(join(folder, 'node_modules/latchkey'));
    const expected = ['CHANGELOG.md', 'LICENSE', 'dist', 'package.json'];
    assert.deepEqual(
      expected.filter((name) => !shipped.includes(name)),
      [],
    );
    assert.deepEqual(
      ['src', 'test', 'scripts', 'bench', '.npmrc', 'node_modules'].filter((name) => shipped.includes(name)),
      [],
    );
  });

  test('answers npx latchkey --version', async () => {
    const version = await succeed('npx', '--no-install', 'latchkey', '--version');
    assert.match(version, /^\d+\.\d+\.\d+\S*\n$/);
  });

  test('hashes a password, for which no install script had to run', async () => {
    const [latchkey, store] = [
      join(folder, 'node_modules/.bin/latchkey'),
      `sqlite:${scratch.file('p', 'l.db')}`,
    ];
    const command = `echo 'correct horse' | "${latchkey}" --store "${store}" user add alice --password-stdin`;
    await succeed('sh', '-c', command);
    const listed = await succeed(latchkey, '--store', store, 'user', 'list', '--json');
    assert.equal((JSON.parse(listed) as readonly { hasPassword: boolean }[])[0]?.hasPassword, true);
  });

  test('starts with latchkey serve, is alive, shows its pages with their styles, and ends with code 0', async () => {
    const [port, adminPort] = [await freePort(), await freePort()];
    const config = scratch.file('latchkey.yaml');
    await writeFile(
      config,
      JSON.stringify({
        listen: { host: '127.0.0.1', port },
        admin: { host: '127.0.0.1', port: adminPort },
        // Reads a file that is no module: it has to be packed, too.
        doors: { open: ['envoy'], grpcPort: 0 },
        dataDir: scratch.file('data'),
        store: `sqlite:${scratch.file('data', 'latchkey.db')}`,
      }),
    );
    const child = startChild({
      label: 'latchkey serve',
      command: join(folder, 'node_modules/.bin/latchkey'),
      args: ['serve', '--config', config, '--backend', 'http://127.0.0.1:9/'],
      cwd: folder,
      env,
    });
    try {
      await eventually(
        '/livez to answer',
        async () => !child.running() || status(await exchange(adminPort, 'GET', '/livez')) === 200,
        { withinMs: 20_000, everyMs: 50 },
      );
      assert.ok(child.running(), child.stderr());
      const page = await fetch(`http://127.0.0.1:${port}/.latchkey/sign-in`);
      const sheet = /href="([^"]*\.css)"/.exec(await page.text())?.[1] ?? '';
      const styles = await fetch(`http://127.0.0.1:${port}${sheet}`);
      assert.equal(styles.headers.get('Content-Type'), 'text/css; charset=utf-8');
    } finally {
      const exit = await child.stop();
      assert.deepEqual(exit, { code: 0, signal: null }, child.stderr());
    }
  });
});
