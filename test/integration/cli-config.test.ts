import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { runCommand, type CommandOutcome } from '../support/command-line.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

let scratch: Scratch;

before(async () => {
  scratch = await makeScratch('cli-config');
  await writeFile(scratch.file('good.yaml'), 'backend: http://127.0.0.1:8008\nlisten: { port: 8088 }\n');
  await writeFile(
    scratch.file('bad.yaml'),
    'backend: http://127.0.0.1/dav\nlisen: { port: 8088 }\nlog: { level: loud }\n',
  );
  const secret =
    'routes:\n  - name: a\n    backend: http://a\n    backendAuth: { sharedSecret: { fromFile: gone } }\n';
  await writeFile(scratch.file('secret.yaml'), secret);
});

after(() => scratch.remove());

function run(...argv: readonly string[]): Promise<CommandOutcome> {
  return runCommand(argv, { cwd: scratch.path });
}

test('config check says ok and names the file it read', async () => {
  const outcome = await run('config', 'check', '--config', 'good.yaml');
  assert.deepEqual(outcome, {
    exitCode: 0,
    stdout: `ok: ${scratch.file('good.yaml')}, 1 route (default)\n`,
    stderr: '',
  });
});

test('config check prints JSON with --json, before or after the command', async () => {
  const expected = { ok: true, file: scratch.file('good.yaml'), routes: ['default'] };
  for (const argv of [
    ['--json', 'config', 'check'],
    ['config', 'check', '--json'],
  ]) {
    const { stdout } = await run(...argv, '-c', 'good.yaml');
    assert.deepEqual(JSON.parse(stdout), expected);
  }
});

test('a wrong configuration ends with 2, all problems on stderr and nothing on stdout', async () => {
  for (const command of [['config', 'check'], ['config', 'show'], ['serve']]) {
    assert.deepEqual(await run(...command, '--config', 'bad.yaml'), {
      exitCode: 2,
      stdout: '',
      stderr: [
        `latchkey: the configuration (${scratch.file('bad.yaml')}) has 3 problems; nothing was started or changed.`,
        '  bad.yaml:1:10: backend: must end after host and port: requests keep their own paths, because WebDAV answers name them; serve the backend under the same path as the route',
        '  bad.yaml:2:1: lisen: is not known; did you mean listen?',
        '  bad.yaml:3:15: log.level: must be debug, info, warn or error',
        '',
      ].join('\n'),
    });
  }
});

test('config check --json lists the problems as data', async () => {
  const { exitCode, stdout } = await run('config', 'check', '--config', 'bad.yaml', '--json');
  assert.equal(exitCode, 2);
  const { ok, problems } = JSON.parse(stdout) as {
    readonly ok: boolean;
    readonly problems: readonly unknown[];
  };
  assert.equal(ok, false);
  assert.deepEqual(problems[1], {
    kind: 'config',
    where: 'bad.yaml:2:1',
    key: 'lisen',
    message: 'is not known; did you mean listen?',
  });
});

test('a missing secret file ends with 1 and a sentence that names it', async () => {
  const { exitCode, stdout, stderr } = await run('config', 'check', '--config', 'secret.yaml');
  assert.deepEqual([exitCode, stdout], [1, '']);
  assert.match(
    stderr,
    /secret\.yaml:4:34: routes\[0\]\.backendAuth\.sharedSecret: the file \S+\/gone does not exist/,
  );
});

test('config check and doctor name an htpasswd file that nobody can read, config show goes on without', async () => {
  const ways = '[{ kind: local }, { kind: htpasswd, name: office, file: ./people }]';
  const yaml = `backend: http://127.0.0.1:9\nsignIn:\n  ways: ${ways}\n`;
  await writeFile(scratch.file('people.yaml'), yaml);
  const problem =
    /people\.yaml:3: signIn\.ways\[1\]\.file: the file \S+\/people does not exist; until it can be read, nobody/;
  const checked = await run('config', 'check', '--config', 'people.yaml');
  assert.deepEqual([checked.exitCode, checked.stdout], [1, '']);
  assert.match(checked.stderr, problem);
  assert.match((await run('doctor', '--config', 'people.yaml')).stdout, problem);
  assert.equal((await run('config', 'show', '--config', 'people.yaml')).exitCode, 0);
  await writeFile(scratch.file('people'), '');
  assert.equal((await run('config', 'check', '--config', 'people.yaml')).exitCode, 0);
});

test('a configuration file that does not exist ends with 2', async () => {
  const { exitCode, stderr } = await run('config', 'check', '--config', 'gone.yaml');
  assert.equal(exitCode, 2);
  assert.match(stderr, /--config: the configuration file \S+\/gone\.yaml does not exist/);
});

test('config show prints values with their sources', async () => {
  const shown = await run(
    'config',
    'show',
    '-c',
    'good.yaml',
    '--port',
    '9000',
    '--store',
    'sqlite:/var/x.db',
  );
  assert.equal(shown.exitCode, 0);
  assert.match(shown.stdout, /^ {2}port: 9000 # --port$/m);
  assert.match(shown.stdout, /^store: sqlite:\/var\/x\.db # --store$/m);
  assert.match(shown.stdout, /^ {6}- http:\/\/127\.0\.0\.1:8008 # good\.yaml:1$/m);
  const json = await run('config', 'show', '-c', 'good.yaml', '--json');
  const { config, sources } = JSON.parse(json.stdout) as {
    readonly config: { readonly listen: unknown };
    readonly sources: Readonly<Record<string, string>>;
  };
  assert.deepEqual(config.listen, { port: 8088, proxyProtocol: false });
  assert.equal(sources['listen.port'], 'good.yaml:2');
});

test('config schema prints what config/latchkey.schema.json holds, byte for byte', async () => {
  const shipped = await readFile(new URL('../../config/latchkey.schema.json', import.meta.url), 'utf8');
  assert.equal((await run('config', 'schema')).stdout, shipped);
});

test('LATCHKEY_BACKEND alone is a configuration', async () => {
  const env = { LATCHKEY_BACKEND: 'http://127.0.0.1:8008' };
  const outcome = await runCommand(['config', 'check'], { cwd: scratch.path, env });
  assert.equal(outcome.stdout, 'ok: no file, 1 route (default)\n');
});

test('--help goes to stdout, ends with 0 and lists the exit codes and the global options', async () => {
  for (const argv of [['--help'], ['config', 'check', '--help']]) {
    const { exitCode, stdout, stderr } = await run(...argv);
    assert.deepEqual([exitCode, stderr], [0, '']);
    assert.match(stdout, /--no-input/);
    assert.match(stdout, /-c, --config <file>/);
  }
  const { stdout } = await run('--help');
  assert.match(stdout, /Exit codes:\n {2}0 {2}done/);
});

test('--version prints the version of package.json', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  assert.deepEqual(await run('--version'), { exitCode: 0, stdout: `${version}\n`, stderr: '' });
});

test('--no-input never asks at a terminal, and reads a pipe as ever', async () => {
  const argv = ['user', 'password', 'nobody', '--password-stdin', '--no-input'];
  const asked = await runCommand(argv, { cwd: scratch.path, stdin: 'a password', interactive: true });
  assert.deepEqual([asked.exitCode, asked.stdout], [2, '']);
  assert.match(asked.stderr, /--no-input forbids to ask/);
  const piped = await runCommand(argv, { cwd: scratch.path, stdin: 'a password' });
  assert.match(piped.stderr, /nobody/);
});

const misuse: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['no command at all', [], /Usage: latchkey/],
  ['a group without its command', ['config'], /Usage: latchkey config/],
  ['a misspelt command', ['confg'], /unknown command 'confg'[\s\S]*Did you mean config\?/],
  ['a misspelt command in a group', ['config', 'chek'], /unknown command 'chek'[\s\S]*Did you mean check\?/],
  [
    'a misspelt option',
    ['config', 'check', '--prot', '1'],
    /unknown option '--prot'[\s\S]*Did you mean --port\?/,
  ],
  ['an option without its value', ['config', 'check', '--port'], /argument missing/],
  ['too many arguments', ['config', 'check', 'x'], /too many arguments/],
];

for (const [title, argv, message] of misuse) {
  test(`${title} ends with 2 and says so on stderr`, async () => {
    const { exitCode, stdout, stderr } = await run(...argv);
    assert.deepEqual([exitCode, stdout], [2, '']);
    assert.match(stderr, message);
  });
}

test('what commander refuses is said in our name, with the next step', async () => {
  const { stderr } = await run('config', 'check', 'x');
  assert.match(stderr, /^latchkey: too many arguments.*\nWith --help instead, /);
});

test('the binary itself passes exit code, stdout and stderr on', async () => {
  const start = promisify(execFile);
  const options = { cwd: scratch.path, env: { PATH: process.env['PATH'] ?? '' } };
  const good = await start(process.execPath, [main, 'config', 'check', '-c', 'good.yaml'], options);
  assert.match(good.stdout, /^ok: /);
  await assert.rejects(
    start(process.execPath, [main, 'config', 'check', '-c', 'bad.yaml'], options),
    (error) => {
      assert.ok(error instanceof Error && 'code' in error && 'stderr' in error);
      assert.equal(error.code, 2);
      assert.match(String(error.stderr), /did you mean listen/);
      return true;
    },
  );
});

test('a reader that closes the pipe early is no error', async () => {
  const start = promisify(execFile);
  const command = `"${process.execPath}" "${main}" config schema; echo "ended with $?" >&2`;
  const { stderr } = await start('sh', ['-c', `{ ${command}; } | head -c 10 >/dev/null`], {
    cwd: scratch.path,
  });
  assert.equal(stderr, 'ended with 0\n');
});

test('a stdout that cannot be written is told in one sentence, and ends with 1', {
  skip: !existsSync('/dev/full') && 'there is no /dev/full',
}, async () => {
  const start = promisify(execFile);
  const command = `"${process.execPath}" "${main}" config schema >/dev/full; echo "ended with $?" >&2`;
  const { stderr } = await start('sh', ['-c', command], { cwd: scratch.path });
  assert.match(stderr, /^latchkey: standard output cannot be written \(ENOSPC\): .*\nended with 1\n$/);
});
