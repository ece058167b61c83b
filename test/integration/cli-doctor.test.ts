import assert from 'node:assert/strict';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';
import { systemClock } from '../../src/core/clock.ts';
import { runCommand, type CommandOutcome, type CommandWorld } from '../support/command-line.ts';
import { freePort } from '../support/free-port.ts';
import { startRedis } from '../support/redis-server.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

let scratch: Scratch;
const closers: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  scratch = await makeScratch('doctor');
});

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await scratch.remove();
});

/** A backend that answers by method; the rest is 404. */
type Behaviour = Readonly<Record<string, (incoming: IncomingMessage, response: ServerResponse) => void>>;

async function startBackend(behaviour: Behaviour): Promise<string> {
  const listener: RequestListener = (incoming, response) => {
    const answer = behaviour[incoming.method ?? ''];
    if (answer) answer(incoming, response);
    else response.writeHead(404).end();
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const dav: Behaviour = {
  OPTIONS: (_incoming, response) =>
    response.writeHead(200, { dav: '1, 2', allow: 'OPTIONS, GET, PROPFIND, LOCK' }).end(),
  PROPFIND: (_incoming, response) =>
    response
      .writeHead(207)
      .end(
        '<D:multistatus xmlns:D="DAV:">' +
          '<D:response><D:href>/</D:href><D:resourcetype><D:collection/></D:resourcetype></D:response>' +
          '<D:response><D:href>/a%20b.txt</D:href><D:resourcetype/></D:response></D:multistatus>',
      ),
  GET: (incoming, response) =>
    response.writeHead(incoming.headers.range === 'bytes=0-0' ? 206 : 200).end('x'),
};

function doctor(argv: readonly string[], world: Partial<CommandWorld> = {}): Promise<CommandOutcome> {
  return runCommand(['doctor', ...argv], { cwd: scratch.path, ...world });
}

test('a WebDAV backend in good health is ok in every line', async () => {
  const backend = await startBackend(dav);
  const { exitCode, stdout, stderr } = await doctor(['--backend', backend]);
  assert.deepEqual([exitCode, stderr], [0, '']);
  const route = `route default: ${backend}`;
  assert.deepEqual(stdout.split('\n').slice(0, 9), [
    'ok    configuration: no file; command line, environment and defaults',
    `ok    ${route}: answers OPTIONS / with 200`,
    `ok    ${route}: WebDAV: class 1, 2`,
    `ok    ${route}: LOCK: offered`,
    `ok    ${route}: Range: understood: downloads resume, players seek`,
    `ok    ${route}: clock: agrees with ours`,
    'skip  chunked PUT, Destination: not looked at: --write-test FOLDER tries them in a folder of yours',
    `ok    data folder ${scratch.file('data')}: will be made at the first start`,
    `ok    store ${scratch.file('data', 'latchkey.db')}: will be made at the first start`,
  ]);
});

test('doctor makes nothing where there is nothing yet', async () => {
  await doctor(['--backend', await startBackend(dav)]);
  assert.deepEqual(await readdir(scratch.path), []);
});

test('a backend that is down fails, and the exit code is 1', async () => {
  const { exitCode, stdout } = await doctor(['--backend', `http://127.0.0.1:${await freePort()}`]);
  assert.equal(exitCode, 1);
  assert.match(stdout, /^fail {2}route default: \S+: refuses connections\n {6}-> start the backend/m);
});

test('something that does not speak HTTP is told from something that is down', async () => {
  const server = createTcpServer((socket) =>
    socket
      .on('error', () => undefined)
      .resume()
      .end('SSH-2.0-x\r\n'),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  const { stdout } = await doctor([
    '--backend',
    `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  ]);
  assert.match(stdout, /^fail .*does not answer in HTTP \(HPE_\w+\)/m);
});

interface Case {
  readonly title: string;
  readonly behaviour: Behaviour;
  readonly argv?: readonly string[];
  readonly expected: RegExp;
  readonly exitCode: number;
}

const unauthorized: Behaviour = {
  OPTIONS: (_incoming, response) =>
    response.writeHead(401, { 'www-authenticate': 'Basic realm="backend", charset="UTF-8"' }).end(),
};

const cases: readonly Case[] = [
  {
    title: 'a login of the backend is explained once a user was named',
    behaviour: unauthorized,
    argv: ['--as', 'alice'],
    expected:
      /^fail .*: login: asks for a login of its own \(Basic realm="backend"\).*\n.*trust X-Remote-User from this address, or give it a login with `backendAuth`/m,
    exitCode: 1,
  },
  {
    title: 'a login of the backend may only want a user to be named',
    behaviour: unauthorized,
    expected: /^warn .*: login: wants to know who asks .*\n.*--as USER/m,
    exitCode: 0,
  },
  {
    title: '--as sends the user in the identity header',
    behaviour: {
      ...dav,
      OPTIONS: (incoming, response) =>
        incoming.headers['x-remote-user'] === 'alice'
          ? response.writeHead(200, { dav: '1', allow: 'GET' }).end()
          : response.writeHead(401).end(),
    },
    argv: ['--as', 'alice'],
    expected: /^warn .*: LOCK: not offered: Finder, Windows and davfs2 mount read-only/m,
    exitCode: 0,
  },
  {
    title: 'a server without WebDAV',
    behaviour: { OPTIONS: (_incoming, response) => response.writeHead(200).end() },
    expected: /^warn .*: WebDAV: sends no DAV header at \/\n.*match\.path.*kind: rest/m,
    exitCode: 0,
  },
  {
    title: 'a server that fails by itself',
    behaviour: { OPTIONS: (_incoming, response) => response.writeHead(503).end() },
    expected: /^fail .*: status: answers 503/m,
    exitCode: 1,
  },
  {
    title: 'a path that the backend does not serve',
    behaviour: {},
    expected: /^warn .*: status: has nothing at \/\n.*match\.path/m,
    exitCode: 0,
  },
  {
    title: 'what nginx says of http at its port for https, and of a certificate that is missing',
    behaviour: { OPTIONS: (_incoming, response) => response.writeHead(400).end() },
    expected: /^warn .*: status: takes a plain OPTIONS \/ for malformed\n.*http or https.*backendTls/m,
    exitCode: 0,
  },
  {
    title: 'a redirect',
    behaviour: { OPTIONS: (_incoming, response) => response.writeHead(301, { location: '/x' }).end() },
    expected: /^warn .*: status: redirects \/ \(301\)/m,
    exitCode: 0,
  },
  {
    title: 'ranges that are ignored',
    behaviour: { ...dav, GET: (_incoming, response) => response.writeHead(200).end('all of it') },
    expected: /^warn .*: Range: ignored \(answers 200\)/m,
    exitCode: 0,
  },
  {
    title: 'a folder without a file to read',
    behaviour: { ...dav, PROPFIND: (_incoming, response) => response.writeHead(207).end('<multistatus/>') },
    expected: /^skip .*: Range: not looked at: no file in sight/m,
    exitCode: 0,
  },
];

for (const { title, behaviour, argv, expected, exitCode } of cases) {
  test(`the doctor recognises ${title}`, async () => {
    const outcome = await doctor(['--backend', await startBackend(behaviour), ...(argv ?? [])]);
    assert.match(outcome.stdout, expected);
    assert.equal(outcome.exitCode, exitCode);
  });
}

test('a clock that is off is a warning with its direction', async () => {
  const backend = await startBackend(dav);
  const clock = { now: () => Date.now() + 120_000, monotonic: () => systemClock.monotonic() };
  assert.match(
    (await doctor(['--backend', backend], { clock })).stdout,
    /^warn .*: clock: 1\d\d s behind ours$/m,
  );
});

test('a refused service account is told, without its password', async () => {
  const backend = await startBackend(unauthorized);
  await writeFile(
    scratch.file('latchkey.yaml'),
    `routes: [{ name: a, backend: "${backend}", backendAuth: { serviceAccount: { user: gw, password: { fromEnv: PW } } } }]`,
  );
  const { exitCode, stdout, stderr } = await doctor([], { env: { PW: 'canary' } });
  assert.equal(exitCode, 1);
  assert.match(stdout, /^fail .*: login: refuses the service account gw/m);
  assert.doesNotMatch(stdout + stderr, /canary|Z3c6/);
});

test('a wrong configuration is part of the report', async () => {
  const { exitCode, stdout } = await doctor(['--backend', 'http://a', '--port', 'x']);
  assert.equal(exitCode, 1);
  assert.match(stdout, /^fail {2}configuration: --port: listen\.port: must be a whole number/m);
});

test('--json prints the same findings as data', async () => {
  const { stdout } = await doctor(['--backend', await startBackend(dav), '--json']);
  const findings = JSON.parse(stdout) as readonly { readonly level: string; readonly subject: string }[];
  assert.deepEqual(findings[0], {
    level: 'ok',
    subject: 'configuration',
    message: 'no file; command line, environment and defaults',
    advice: null,
  });
});

test('data that others may read, and a store that is none, are reported', async () => {
  await mkdir(scratch.file('data'));
  await chmod(scratch.file('data'), 0o755);
  await writeFile(scratch.file('data', 'pepper'), 'x', { mode: 0o644 });
  await writeFile(scratch.file('data', 'latchkey.db'), 'this is no database, '.repeat(100), { mode: 0o600 });
  const { exitCode, stdout } = await doctor(['--backend', await startBackend(dav)]);
  assert.equal(exitCode, 1);
  assert.match(
    stdout,
    /^warn {2}permissions: others may look into \S+data, \S+data\/pepper\n {6}-> chmod go-rwx /m,
  );
  assert.match(stdout, /^fail {2}store \S+latchkey\.db: .+/m);
});

test('a data folder that is a file fails its lines, and the report goes on', async () => {
  await writeFile(scratch.file('data'), '');
  const { exitCode, stdout, stderr } = await doctor(['--backend', await startBackend(dav)]);
  assert.deepEqual([exitCode, stderr], [1, '']);
  assert.match(stdout, /^fail {2}data folder \S+data: \S+data is a file\n {6}-> name a folder/m);
  assert.match(stdout, /^fail {2}store \S+latchkey\.db: cannot be made in \S+data\n/m);
});

test('a closed data folder keeps its files private whatever their modes', async () => {
  await mkdir(scratch.file('data'), { mode: 0o700 });
  await writeFile(scratch.file('data', 'pepper'), 'x', { mode: 0o644 });
  const { stdout } = await doctor(['--backend', await startBackend(dav)]);
  assert.match(stdout, /^ok {4}permissions: only this user may read the data$/m);
});

test('Redis that is away fails with what to do; its password is not shown', async () => {
  const env = { LATCHKEY_REDIS: `redis://:canary@127.0.0.1:${await freePort()}` };
  const { exitCode, stdout, stderr } = await doctor(['--backend', await startBackend(dav)], { env });
  assert.equal(exitCode, 1);
  assert.match(stdout, /^fail {2}Redis redis:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED.*\n {6}-> start it/m);
  assert.doesNotMatch(stdout + stderr, /canary/);
});

test('Redis that answers is ok with its version', requireProgram('redis-server'), async () => {
  const redis = await startRedis({ password: 'canary' });
  closers.push(() => redis.stop());
  const env = { LATCHKEY_REDIS: redis.url.replace('://', '://:canary@') };
  const { stdout } = await doctor(['--backend', await startBackend(dav)], { env });
  assert.match(stdout, /^ok {4}Redis redis:\/\/127\.0\.0\.1:\d+: answers in [\d.]+ ms, version \d+\.\d+/m);
  assert.doesNotMatch(stdout, /canary/);
  const wrong = { LATCHKEY_REDIS: redis.url.replace('://', '://:mistaken@') };
  const refused = await doctor(['--backend', await startBackend(dav)], { env: wrong });
  assert.match(refused.stdout, /^fail {2}Redis .*(WRONGPASS|invalid password)/m);
  assert.doesNotMatch(refused.stdout, /mistaken/);
});
