import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { configJsonSchema } from '../../src/config/json-schema.ts';
import { run } from '../support/child-process.ts';
import { runCommand } from '../support/command-line.ts';
import { findProgram, requireProgram } from '../support/requirement.ts';
import { makeScratch, type Scratch } from '../support/scratch.ts';

const root = join(import.meta.dirname, '../..');
const read = (...parts: readonly string[]): Promise<string> => readFile(join(root, ...parts), 'utf8');

async function succeed(scratch: Scratch, program: string, ...args: readonly string[]): Promise<string> {
  const label = `${program} ${args.join(' ')}`;
  const done = await run({ label, command: findProgram(program) ?? program, args, cwd: scratch.path });
  assert.equal(done.code, 0, `${label}: ${done.stdout}${done.stderr}`);
  return `${done.stdout}${done.stderr}`;
}

/** `latchkey config check` of a configuration whose secrets lie below `to` instead of `from`. */
async function checkConfig(scratch: Scratch, text: string, from: string, to: string): Promise<void> {
  await writeFile(scratch.file('checked.yaml'), text.replaceAll(from, to));
  const outcome = await runCommand(['config', 'check', '--config', scratch.file('checked.yaml')], {
    cwd: scratch.path,
  });
  assert.equal(outcome.exitCode, 0, outcome.stderr);
}

describe('the compose file', () => {
  let scratch: Scratch;
  before(async () => {
    scratch = await makeScratch('compose');
    await cp(join(root, 'examples/compose'), scratch.path, { recursive: true });
  });
  after(() => scratch.remove());

  test('conforms to the specification of Compose', requireProgram('compose-spec'), async () => {
    const model = parse(await succeed(scratch, 'compose-spec', 'compose.yaml')) as {
      readonly services: Readonly<Record<string, unknown>>;
    };
    assert.deepEqual(Object.keys(model.services).toSorted(), ['latchkey', 'postgres', 'redis', 'webdav']);
  });

  test('names secrets that make-secrets.sh makes, each once, out of reach of other users', async () => {
    const { secrets } = parse(await read('examples/compose/compose.yaml')) as {
      readonly secrets: Readonly<Record<string, { readonly file: string }>>;
    };
    await succeed(scratch, 'sh', 'make-secrets.sh');
    const texts = async (): Promise<readonly string[]> =>
      Promise.all(Object.values(secrets).map(({ file }) => readFile(scratch.file(file), 'utf8')));
    const made = await texts();
    assert.equal(new Set(made).size, 2);
    for (const text of made) assert.match(text, /^[A-Za-z0-9+/]{64}$/);
    assert.equal((await stat(scratch.file('secrets'))).mode & 0o777, 0o700);
    await succeed(scratch, 'sh', 'make-secrets.sh');
    assert.deepEqual(await texts(), made);
  });

  test('has a configuration that latchkey config check accepts', async () => {
    const text = await read('examples/compose/latchkey.yaml');
    await checkConfig(scratch, text, '/run/secrets', scratch.file('secrets'));
  });

  test('has a WebDAV server whose configuration Apache accepts', requireProgram('apache2'), async () => {
    await symlink('/usr/lib/apache2/modules', scratch.file('modules'));
    await mkdir(scratch.file('files'));
    const text = (await read('examples/compose/httpd.conf'))
      .replace('/usr/local/apache2', scratch.path)
      .replaceAll('/srv/', `${scratch.path}/`);
    await writeFile(scratch.file('checked.conf'), text);
    assert.match(await succeed(scratch, 'apache2', '-t', '-f', scratch.file('checked.conf')), /Syntax OK/);
  });

  test('lets nobody but the gateway reach the WebDAV server and the databases', async () => {
    const { services, networks } = parse(await read('examples/compose/compose.yaml')) as {
      readonly services: Readonly<
        Record<string, { readonly networks: readonly string[]; readonly ports?: unknown }>
      >;
      readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
    };
    for (const [name, service] of Object.entries(services)) {
      if (name === 'latchkey') continue;
      assert.equal(service.ports, undefined, name);
      assert.ok(
        service.networks.every((network) => networks[network]?.internal),
        name,
      );
    }
    assert.ok(!services['webdav']?.networks.includes('data'));
  });
});

describe('the unit of systemd', () => {
  let scratch: Scratch;
  before(async () => {
    scratch = await makeScratch('systemd');
    const unit = await read('examples/systemd/latchkey.service');
    await writeFile(scratch.file('latchkey.service'), unit.replaceAll('/opt/latchkey', root));
  });
  after(() => scratch.remove());

  test('is a unit to systemd-analyze verify', requireProgram('systemd-analyze'), async () => {
    assert.equal(await succeed(scratch, 'systemd-analyze', 'verify', scratch.file('latchkey.service')), '');
  });

  test('is exposed as little as its README says', requireProgram('systemd-analyze'), async () => {
    const args = ['security', '--offline=yes', '--no-pager', scratch.file('latchkey.service')];
    const [, found] =
      /exposure level for \S+ ([\d.]+)/.exec(await succeed(scratch, 'systemd-analyze', ...args)) ?? [];
    const [, told] = /gives it ([\d.]+) of 10/.exec(await read('examples/systemd/README.md')) ?? [];
    assert.ok(Number(found) <= 1.5 && Number(told) >= Number(found), `${found}, told ${told}`);
  });

  test('comes with a configuration that latchkey config check accepts', async () => {
    await writeFile(scratch.file('pepper'), 'a pepper of thirty-two bytes or more');
    const text = await read('examples/systemd/latchkey.yaml');
    await checkConfig(scratch, text, '/run/credentials/latchkey.service', scratch.path);
  });
});

describe('the Dockerfile', async () => {
  const dockerfile = await read('Dockerfile');
  const ignore = (await read('.dockerignore')).split('\n').filter((line) => line !== '');

  test('copies what exists, and what .dockerignore lets through', async () => {
    const sources = [...dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm)].flatMap(([, names = '']) =>
      names.split(' '),
    );
    const there = await readdir(root);
    assert.ok(sources.length >= 6);
    assert.deepEqual(
      sources.filter((name) => !there.includes(name) || !ignore.includes(`!${name}`)),
      [],
    );
  });

  test('runs as a number that is not root, so that Kubernetes can see it', () => {
    const [, user] = [...dockerfile.matchAll(/^USER (\S+)$/gm)].at(-1) ?? [];
    assert.equal(user, '1000:1000');
  });

  test('has a Node that the product takes, and the ports that it listens on', () => {
    assert.match(dockerfile, /^FROM node:24-slim$/m);
    const ports = configJsonSchema.properties ?? {};
    const port = (name: string): unknown => ports[name]?.properties?.['port']?.default;
    assert.match(dockerfile, new RegExp(`^EXPOSE ${String(port('listen'))}$`, 'm'));
    assert.match(dockerfile, new RegExp(`http://127.0.0.1:${String(port('admin'))}/livez`));
  });

  // No engine is needed for this: the steps that matter, in a folder of their own.
  test('makes an image in which latchkey is a command', async () => {
    const scratch = await makeScratch('image');
    try {
      for (const name of ['package.json', 'config', 'src']) {
        await cp(join(root, name), scratch.file('opt', name), { recursive: true });
      }
      await symlink(join(root, 'node_modules'), scratch.file('opt/node_modules'));
      const [, from = '', to = ''] = /ln -s (\S+) (\S+)$/m.exec(dockerfile) ?? [];
      assert.equal(to, '/usr/local/bin/latchkey');
      const command = scratch.file('latchkey');
      await symlink(from.replace('/opt/latchkey', scratch.file('opt')), command);
      assert.match(await succeed(scratch, command, '--version'), /^\d+\.\d+\.\d+/);
    } finally {
      await scratch.remove();
    }
  });
});

for (const name of ['compose', 'systemd']) {
  test(`the commands of latchkey in examples/${name}/README.md work`, async () => {
    const scratch = await makeScratch('examples');
    try {
      const text = (await read('examples', name, 'README.md')).replaceAll(/\\\n\s*/g, '');
      const lines = [
        ...text.matchAll(
          /^(?:docker compose exec latchkey|systemd-run .*\/node) (?:latchkey|\S+main\.ts) (.*)$/gm,
        ),
      ];
      assert.ok(lines.length > 0);
      await runCommand(['user', 'add', 'alice'], { cwd: scratch.path });
      for (const [, line = ''] of lines) {
        const args = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '');
        if (args.join(' ') === 'user add alice') continue;
        const outcome = await runCommand(args, { cwd: scratch.path });
        assert.equal(outcome.exitCode, 0, `${line}: ${outcome.stderr}`);
      }
    } finally {
      await scratch.remove();
    }
  });
}
