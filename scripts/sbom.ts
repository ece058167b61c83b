/**
 * Prints a CycloneDX bill of materials of what the product needs at run time:
 *   npm run --silent sbom > latchkey.cdx.json
 * npm writes it, from a copy of package.json and package-lock.json without development dependencies: asked to
 * omit these by itself, it also leaves out every package that both a development dependency and the product need.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Json = Readonly<Record<string, unknown>>;

const root = join(import.meta.dirname, '..');
const readJson = (name: string): Json => JSON.parse(readFileSync(join(root, name), 'utf8')) as Json;

function withoutDevelopment(manifest: Json): Json {
  const { devDependencies: _, ...rest } = manifest;
  return rest;
}

function runtimeLock(lock: Json): Json {
  const packages = Object.entries(lock['packages'] as Record<string, Json>)
    .filter(([, entry]) => entry['dev'] !== true)
    .map(([path, entry]) => [path, path === '' ? withoutDevelopment(entry) : entry]);
  return { ...lock, packages: Object.fromEntries(packages) as Json };
}

const scratch = mkdtempSync(join(tmpdir(), 'latchkey-sbom-'));
try {
  // npm names the product after its folder.
  const folder = join(scratch, 'latchkey');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify(withoutDevelopment(readJson('package.json'))));
  writeFileSync(
    join(folder, 'package-lock.json'),
    JSON.stringify(runtimeLock(readJson('package-lock.json'))),
  );
  const format = ['--sbom-format', 'cyclonedx', '--sbom-type', 'application'];
  execFileSync('npm', ['sbom', ...format, '--package-lock-only'], { cwd: folder, stdio: 'inherit' });
} finally {
  rmSync(scratch, { recursive: true });
}
