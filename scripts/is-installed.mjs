// Exits 0 where node_modules holds what the lockfile says, 1 where `npm ci` is due. Compares versions,
// not times: a checkout makes every lockfile look new. Runs on whatever Node the machine has.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

function packagesOf(lockfile) {
  return JSON.parse(readFileSync(join(root, lockfile), 'utf8')).packages;
}

function isInstalled() {
  if (!existsSync(join(root, 'node_modules/node/bin/node'))) return false;
  const installed = packagesOf('node_modules/.package-lock.json');
  const locked = Object.entries(packagesOf('package-lock.json'));
  return locked.every(
    ([path, entry]) => path === '' || entry.optional || installed[path]?.version === entry.version,
  );
}

let upToDate = false;
try {
  upToDate = isInstalled();
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
}
process.exitCode = upToDate ? 0 : 1;
