import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import type { RouteConfig } from '../../src/config/config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { Fault } from '../../src/core/errors.ts';
import {
  type CollectionsDeps,
  findCollections,
  type FoundCollections,
} from '../../src/gateway/collections.ts';
import { compileRoute } from '../../src/gateway/route.ts';
import { createRouteTable } from '../../src/gateway/routes.ts';
import { startApache } from '../support/apache.ts';
import { freePort } from '../support/free-port.ts';
import { startRadicale } from '../support/radicale.ts';
import { replying, startRecordingBackend } from '../support/recording-backend.ts';
import { requireProgram } from '../support/requirement.ts';
import { routeConfig } from '../support/route-config.ts';
import { readerDeps } from '../unit/gateway/head-fixture.ts';
import { backendLimits, principal } from '../unit/gateway/route-fixture.ts';

function depsFor(t: TestContext, config: Partial<RouteConfig>): CollectionsDeps {
  const whole = routeConfig(config);
  const route = compileRoute(whole, [whole], backendLimits, systemClock, () => undefined);
  t.after(() => route.backends.close());
  return {
    ...readerDeps,
    routes: createRouteTable([route]),
    assertions: { sign: () => Promise.reject(new Error('no route sends assertions')) },
    nextRequestId: () => 'r1',
  };
}

function look(deps: CollectionsDeps, folder: string): Promise<FoundCollections> {
  return findCollections(folder, { principal: principal(), host: 'gw.example', address: '192.0.2.1' }, deps);
}

function multistatus(...hrefs: readonly string[]): string {
  const collection =
    '<D:propstat><D:prop><D:resourcetype><D:collection/></D:resourcetype></D:prop></D:propstat>';
  const responses = hrefs.map((href) => `<D:response><D:href>${href}</D:href>${collection}</D:response>`);
  return `<D:multistatus xmlns:D="DAV:">${responses.join('')}</D:multistatus>`;
}

test(
  'Apache’s folders are found by name, whatever characters they have; its files are not',
  requireProgram('apache2'),
  async (t) => {
    const apache = await startApache({ requireRemoteUser: true });
    t.after(() => apache.stop());
    const names = ['Photos', 'a b', 'Ärger & Söhne', '100%', 'a#b?c', 'deep'];
    for (const name of names) await mkdir(path.join(apache.folder, name));
    await mkdir(path.join(apache.folder, 'deep', 'deeper'));
    const deps = depsFor(t, { backend: [apache.url] });
    const found = await look(deps, '/dav/');
    assert.deepEqual(new Set(found), new Set(names.map((name) => `/dav/${name}/`)));
    assert.deepEqual(await look(deps, '/dav/deep/'), ['/dav/deep/deeper/']);
    assert.deepEqual(await look(deps, '/dav/a#b?c/'), []);
    assert.equal(await look(deps, '/dav/none/'), 'none');
  },
);

test('Radicale shows a person its own calendars alone', requireProgram('radicale'), async (t) => {
  const radicale = await startRadicale();
  t.after(() => radicale.stop());
  const made = await fetch(`${radicale.url}/alice/work/`, {
    method: 'MKCALENDAR',
    headers: { 'X-Remote-User': 'alice' },
  });
  assert.equal(made.status, 201);
  const deps = depsFor(t, { backend: [radicale.url], kind: 'caldav' });
  assert.deepEqual(await look(deps, '/alice/'), ['/alice/work/']);
  assert.equal(await look(deps, '/bob/'), 'none');
});

test('the backend is asked as the person, with nothing of the browser', async (t) => {
  const backend = await startRecordingBackend();
  t.after(() => backend.close());
  backend.answerWith(replying(403));
  assert.equal(await look(depsFor(t, { backend: [backend.url] }), '/dav/'), 'none');
  const [request] = backend.requests;
  assert.match(request?.head ?? '', /^PROPFIND \/dav\/ HTTP\/1\.1\r\n/);
  assert.match(request?.head ?? '', /\r\nX-Remote-User: alice\r\n/i);
  assert.match(request?.head ?? '', /\r\nDepth: 1\r\n/i);
  assert.doesNotMatch(request?.head ?? '', /cookie|authorization/i);
});

test('a folder that is no path, or of a route without folders, is not asked for', async (t) => {
  const backend = await startRecordingBackend();
  t.after(() => backend.close());
  const rest = depsFor(t, { backend: [backend.url], kind: 'rest' });
  const dav = depsFor(t, { backend: [backend.url], match: { host: null, path: '/dav/' } });
  assert.equal(await look(rest, '/dav/'), 'none');
  for (const folder of ['', 'dav/', '/dav/../etc/', '/dav/\0/', '/other/', '/.latchkey/', '/dav/\ud800/']) {
    assert.equal(await look(dav, folder), 'none', JSON.stringify(folder));
  }
  assert.equal(backend.requests.length, 0);
});

test('what a backend says of other hosts, of deeper folders and of garbage is not shown', async (t) => {
  const backend = await startRecordingBackend();
  t.after(() => backend.close());
  const deps = depsFor(t, { backend: [backend.url] });
  const hrefs = [
    '/dav/',
    '/dav/a/',
    'http://evil.example/dav/b/',
    '/dav/c/d/',
    '/dav/../e/',
    `${backend.url}/dav/f`,
  ];
  backend.answerWith(replying(207, multistatus(...hrefs)));
  assert.deepEqual(await look(deps, '/dav/'), ['/dav/a/', '/dav/f/']);
  backend.answerWith(replying(207, 'no xml'));
  assert.equal(await look(deps, '/dav/'), 'too many');
  backend.answerWith(replying(207, ' '.repeat(9 * 1024 * 1024)));
  assert.equal(await look(deps, '/dav/'), 'too many');
});

test('of several backends, folders are shown by whatever address the one that answered calls itself', async (t) => {
  const backends = [await startRecordingBackend(), await startRecordingBackend()];
  for (const backend of backends) {
    t.after(() => backend.close());
    backend.answerWith(replying(207, multistatus(`${backend.url}/dav/a/`)));
  }
  const deps = depsFor(t, { backend: backends.map(({ url }) => url) });
  for (const [index, backend] of [...backends, ...backends].entries()) {
    assert.deepEqual(await look(deps, '/dav/'), ['/dav/a/'], `question ${index}`);
    assert.ok(backend.requests.length > 0);
  }
});

test('a backend that cannot be reached is a fault, not an empty folder', async (t) => {
  const deps = depsFor(t, { backend: [`http://127.0.0.1:${await freePort()}`] });
  await assert.rejects(
    look(deps, '/dav/'),
    (error) => error instanceof Fault && error.code === 'backend_unreachable',
  );
});

test('a backend that is broken is a fault, not a folder that is not there', async (t) => {
  const backend = await startRecordingBackend();
  t.after(() => backend.close());
  backend.answerWith(replying(503));
  await assert.rejects(
    look(depsFor(t, { backend: [backend.url] }), '/dav/'),
    (error) => error instanceof Fault && error.code === 'backend_unreachable',
  );
});
