import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { endAll } from '../support/end-all.ts';
import type { FolderServer } from '../support/folder-server.ts';
import { type Gateway, route, startGateway } from '../support/gateway.ts';
import { status } from '../support/http-message.ts';
import { exchange } from '../support/raw-client.ts';
import { startRcloneDav } from '../support/rclone-dav.ts';
import { requireProgram } from '../support/requirement.ts';

describe('a route nested in another, on a backend that folds case', requireProgram('rclone'), () => {
  let backend: FolderServer;
  let gateway: Gateway;
  let token: string;
  before(async () => {
    backend = await startRcloneDav(['--vfs-case-insensitive']);
    await mkdir(join(backend.folder, 'n', 'in'), { recursive: true });
    await writeFile(join(backend.folder, 'n', 'in', 'x'), 'inner');
    await writeFile(join(backend.folder, 'n', 'y'), 'outer');
    gateway = await startGateway({
      routes: [
        route({ name: 'outer', match: { path: '/dav/n/' }, backend: backend.url }),
        route({ name: 'inner', match: { path: '/dav/n/in/' }, backend: backend.url }),
      ],
    });
    await gateway.user('alice');
    token = await gateway.token({ scopes: ['route:outer:rw'] });
  });
  after(() =>
    endAll(
      () => gateway?.stop(),
      () => backend?.stop(),
    ),
  );

  const ask = async (method: string, target: string, ...fields: readonly string[]): Promise<number> =>
    status(await exchange(gateway.port, method, target, [`Authorization: Bearer ${token}`, ...fields]));

  test('is served by that backend under other spellings (control)', async () => {
    const port = Number(new URL(backend.url).port);
    assert.equal((await exchange(port, 'GET', '/dav/n/IN/x')).body.toString(), 'inner');
    assert.equal(await ask('GET', '/dav/n/Y'), 200);
  });

  test('is reached under no spelling by a token for the outer one', async () => {
    assert.equal(await ask('GET', '/dav/n/in/x'), 403);
    for (const target of [
      '/dav/n/In/x',
      '/dav/n/IN/X',
      '/dav/n/in;x/x',
      '/dav/n/in./x',
      '/dav/n/%EF%BD%89n/x',
    ]) {
      assert.equal(await ask('GET', target), 404, target);
      assert.equal(await ask('DELETE', target), 404, target);
      assert.equal(await ask('MOVE', '/dav/n/y', `Destination: ${target}`), 403, target);
    }
    assert.equal(await ask('DELETE', '/dav/n'), 403);
    assert.equal(await ask('PROPFIND', '/dav/n/', 'Depth: infinity'), 403);
  });
});
