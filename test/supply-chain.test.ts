import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { run } from './support/child-process.ts';

const root = join(import.meta.dirname, '..');

/** One package of package-lock.json. */
interface Locked {
  readonly name?: string;
  readonly version: string;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
}

interface Component {
  /** The package under its own name, where it is installed under another one too. */
  readonly 'bom-ref': string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(root, name), 'utf8'));
}

const manifest = readJson('package.json') as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly allowScripts: Readonly<Record<string, boolean>>;
};
const lock = readJson('package-lock.json') as {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, Locked>>;
};

const locked = Object.entries(lock.packages)
  .filter(([path]) => path !== '')
  .map(([path, entry]) => ({ ...entry, path, name: entry.name ?? path.replace(/^.*node_modules\//, '') }));
const production = locked.filter(({ dev }) => dev !== true);
const label = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `${name}@${version}`;

describe('the lockfile', () => {
  test('is one that npm 7 and later keep exactly', () => assert.equal(lock.lockfileVersion, 3));

  // npm hashes what it has seen: development tools built for other platforms were never fetched.
  test('has a strong hash for every package, but for optional development tools of other platforms', () => {
    const isForeignTool = ({ dev, optional, os }: Locked): boolean =>
      dev === true && optional === true && os !== undefined;
    const weak = locked.filter(({ integrity }) => !/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? ''));
    assert.deepEqual(weak.filter((entry) => !isForeignTool(entry)).map(label), []);
    assert.deepEqual(
      weak.filter(({ path }) => existsSync(join(root, path))).map(label),
      [],
      'none of them is installed here',
    );
  });

  test('names packages and hashes and no place they come from: no server, git repository, folder or link', () => {
    const placed = locked.filter(({ resolved, link }) => resolved !== undefined || link === true);
    assert.deepEqual(placed.map(label), []);
    const odd = Object.values(manifest.dependencies).filter(
      (range) => !/^(?:npm:[\w@/.-]+@)?\^\d+\.\d+\.\d+$/.test(range),
    );
    assert.deepEqual(odd, []);
  });

  test('holds every dependency of the product', () => {
    const names = new Set(production.map(({ path }) => path));
    const missing = Object.keys(manifest.dependencies).filter((name) => !names.has(`node_modules/${name}`));
    assert.deepEqual(missing, []);
  });

  // That the product then starts, test/package.test.ts shows: it installs with scripts ignored.
  // argon2 ships its binaries, and protobufjs only looks at how its dependents name its version.
  test('has two packages with an install script at run time, and refuses both scripts', () => {
    assert.deepEqual(
      production.filter(({ hasInstallScript }) => hasInstallScript === true).map(({ name }) => name),
      ['argon2', 'protobufjs'],
    );
    assert.equal(manifest.allowScripts['argon2'], false);
    assert.equal(manifest.allowScripts['protobufjs'], false);
  });
});

test('npm run sbom lists every package of the run time with its hash, and no development dependency', async () => {
  const { code, stdout, stderr } = await run({
    label: 'npm run sbom',
    command: 'npm',
    args: ['run', '--silent', 'sbom'],
    cwd: root,
    env: { PATH: `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` },
  });
  assert.equal(code, 0, stderr);
  const bom = JSON.parse(stdout) as {
    readonly bomFormat: string;
    readonly specVersion: string;
    readonly metadata: { readonly component: { readonly name: string; readonly type: string } };
    readonly components: readonly Component[];
  };
  assert.equal(bom.bomFormat, 'CycloneDX');
  assert.match(bom.specVersion, /^1\.\d+$/);
  const { name, type } = bom.metadata.component;
  assert.deepEqual([name, type], ['latchkey', 'application']);
  assert.deepEqual(
    bom.components.map((component) => component['bom-ref']).toSorted(),
    production.map(label).toSorted(),
  );
  const hashes = new Map(production.map((one) => [label(one), one.integrity]));
  for (const component of bom.components) {
    const sha512 = component.hashes?.find(({ alg }) => alg === 'SHA-512')?.content ?? '';
    const integrity = `sha512-${Buffer.from(sha512, 'hex').toString('base64')}`;
    assert.equal(integrity, hashes.get(component['bom-ref']), component['bom-ref']);
  }
});
