import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { startApache } from '../support/apache.ts';
import { runCommand, type CommandOutcome } from '../support/command-line.ts';
import { requireProgram } from '../support/requirement.ts';
import { makeScratch } from '../support/scratch.ts';

async function doctor(...argv: readonly string[]): Promise<CommandOutcome> {
  const scratch = await makeScratch('doctor-writing');
  try {
    return await runCommand(['doctor', ...argv], { cwd: scratch.path });
  } finally {
    await scratch.remove();
  }
}

/** What a small store of files may be unable to do. */
interface Weakness {
  readonly chunked?: 'refused' | 'emptied';
  readonly locks?: 'refused';
  /** The only scheme and host it takes for its own. */
  readonly believes?: string;
  /** The only folder where it speaks WebDAV. */
  readonly davBelow?: string;
}

/** Runs `work` against a server that keeps files in memory, with a weakness, and hands it what is left over. */
async function withFiles(
  weakness: Weakness,
  work: (origin: string, left: ReadonlyMap<string, string>) => Promise<void>,
): Promise<void> {
  const files = new Map<string, string>();
  const server = createServer((incoming, response) => {
    void answer(incoming, response, files, weakness);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, files);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  files: Map<string, string>,
  weakness: Weakness,
): Promise<void> {
  const body = await text(incoming);
  const path = incoming.url ?? '';
  const chunked = incoming.headers['transfer-encoding'] === 'chunked';
  const end = (status: number, headers: Record<string, string> = {}, data = ''): void => {
    response.writeHead(status, headers).end(data);
  };
  switch (incoming.method) {
    case 'OPTIONS':
      return end(200, path.startsWith(weakness.davBelow ?? '/') ? { dav: '1,2', allow: 'LOCK' } : {});
    case 'MKCOL':
      return end(201);
    case 'PUT':
      if (chunked && weakness.chunked === 'refused') return end(411);
      files.set(path, chunked && weakness.chunked === 'emptied' ? '' : body);
      return end(201);
    case 'GET':
      return end(incoming.headers.range ? 206 : 200, {}, files.get(path));
    case 'LOCK':
      return weakness.locks === 'refused' ? end(405) : end(200, { 'lock-token': '<urn:x>' });
    case 'MOVE': {
      const destination = new URL(String(incoming.headers['destination']));
      if (weakness.believes !== undefined && destination.origin !== weakness.believes) return end(502);
      files.set(destination.pathname, files.get(path) ?? '');
      files.delete(path);
      return end(201);
    }
    case 'DELETE':
      for (const name of files.keys()) if (name.startsWith(path)) files.delete(name);
      return end(204);
    default:
      return end(207, {}, '<multistatus/>');
  }
}

test('a backend without weakness passes, and nothing is left behind', async () => {
  await withFiles({}, async (origin, left) => {
    const { exitCode, stdout } = await doctor('--backend', origin, '--write-test', '/my files/');
    assert.equal(exitCode, 0, stdout);
    for (const what of [
      'chunked PUT: understood',
      'LOCK: granted and given back',
      `Destination: accepted as ${origin}`,
    ]) {
      assert.ok(stdout.includes(what), `${what} is missing in:\n${stdout}`);
    }
    assert.equal(left.size, 0);
  });
});

const weaknesses: readonly (readonly [string, Weakness, RegExp, number])[] = [
  [
    'refuses uploads of unknown length',
    { chunked: 'refused' },
    /^warn .*: chunked PUT: refused \(411\)\n.*spool: true/m,
    0,
  ],
  [
    'keeps nothing of uploads of unknown length',
    { chunked: 'emptied' },
    /^fail .*: chunked PUT: accepted, but 0 bytes of 27 were kept\n.*spool: true/m,
    1,
  ],
  ['offers locks and refuses them', { locks: 'refused' }, /^warn .*: LOCK: refused \(405\)/m, 0],
  [
    'believes to have another name',
    { believes: 'https://files.example.org' },
    /^fail .*: Destination: MOVE to http:\/\/127\.0\.0\.1:\d+ answers 502\n.*backendOrigin/m,
    1,
  ],
];

for (const [title, weakness, expected, exitCode] of weaknesses) {
  test(`--write-test finds a backend that ${title}`, async () => {
    await withFiles(weakness, async (origin, left) => {
      const outcome = await doctor('--backend', origin, '--write-test', '/');
      assert.match(outcome.stdout, expected);
      assert.equal(outcome.exitCode, exitCode);
      assert.equal(left.size, 0);
    });
  });
}

test('the backend is looked at where the test writes, not only at the top of its route', async () => {
  await withFiles({ davBelow: '/dav/' }, async (origin) => {
    const atTop = await doctor('--backend', origin);
    assert.match(atTop.stdout, /^warn {2}.*: WebDAV: sends no DAV header at \/$/m);
    const below = await doctor('--backend', origin, '--write-test', '/dav/alice/');
    assert.equal(below.exitCode, 0, below.stdout);
    assert.match(below.stdout, /answers OPTIONS \/dav\/alice\/ with 200$/m);
    assert.match(below.stdout, /: WebDAV: class 1, 2$/m);
  });
});

test('--write-test needs a folder that a route serves', async () => {
  await withFiles({}, async (origin) => {
    const { exitCode, stderr } = await doctor('--backend', origin, '--write-test', 'folder');
    assert.equal(exitCode, 2);
    assert.match(stderr, /--write-test must be a path with a slash at both ends/);
  });
});

test('Apache mod_dav passes every check, written to and not', requireProgram('apache2'), async () => {
  const apache = await startApache({ requireRemoteUser: true });
  try {
    const { exitCode, stdout } = await doctor(
      '--backend',
      apache.url,
      '--as',
      'alice',
      '--write-test',
      '/dav/',
    );
    assert.equal(exitCode, 0, stdout);
    assert.doesNotMatch(stdout, /^(fail|warn)/m);
    assert.match(stdout, /chunked PUT: understood/);
    assert.deepEqual(await readdir(apache.folder), []);
  } finally {
    await apache.stop();
  }
});

test('Apache with a password of its own is told apart', requireProgram('apache2'), async () => {
  const apache = await startApache({ account: { user: 'gateway', password: 'canary' } });
  try {
    const { exitCode, stdout } = await doctor('--backend', apache.url, '--as', 'alice');
    assert.equal(exitCode, 1);
    assert.match(stdout, /^fail .*: login: asks for a login of its own \(Basic realm="backend"\)/m);
  } finally {
    await apache.stop();
  }
});
