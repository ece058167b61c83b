import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import {
  type AdminListener,
  type AdminListenerDeps,
  createAdminListener,
} from '../../../src/server/admin-listener.ts';

async function start(
  t: TestContext,
  deps: Partial<AdminListenerDeps> = {},
): Promise<{ listener: AdminListener; get: (path: string, method?: string) => Promise<[number, string]> }> {
  const listener = createAdminListener({
    readiness: [],
    renderMetrics: () => Promise.resolve('metric 1\n'),
    metricsType: 'text/plain; version=0.0.4; charset=utf-8',
    jwks: () => '{"keys":[]}',
    ...deps,
  });
  const port = await listener.listen('127.0.0.1', 0);
  t.after(() => listener.close());
  return {
    listener,
    get: async (path, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
      return [response.status, await response.text()];
    },
  };
}

const check = (name: string, problem: string | null): AdminListenerDeps['readiness'][number] => ({
  name,
  problem: () => Promise.resolve(problem),
});

describe('the admin listener', () => {
  test('is alive whatever is broken', async (t) => {
    const { get } = await start(t, { readiness: [check('store', 'gone')] });
    assert.deepEqual(await get('/livez'), [200, 'ok\n']);
  });

  test('is ready while every check holds, and lists them when asked', async (t) => {
    const { get } = await start(t, { readiness: [check('store', null), check('redis', null)] });
    assert.deepEqual(await get('/readyz'), [200, 'ok\n']);
    assert.deepEqual(await get('/readyz?verbose'), [200, 'ok   store\nok   redis\n']);
  });

  test('is not ready while one fails, and says which', async (t) => {
    const { get } = await start(t, { readiness: [check('store', 'cannot be read'), check('redis', null)] });
    assert.deepEqual(await get('/readyz'), [503, 'fail store: cannot be read\n']);
  });

  test('is not ready where a check itself breaks, and stays alive', async (t) => {
    const broken = { name: 'store', problem: () => Promise.reject(new Error('secret detail')) };
    const { get } = await start(t, { readiness: [broken] });
    const [status, text] = await get('/readyz');
    assert.ok(status >= 500);
    assert.ok(!text.includes('secret'));
    assert.equal((await get('/livez'))[0], 200);
  });

  test('is not ready from the moment it drains, but still alive', async (t) => {
    const { get, listener } = await start(t);
    listener.startDraining();
    assert.equal((await get('/readyz'))[0], 503);
    assert.equal((await get('/livez'))[0], 200);
  });

  test('shows metrics and keys', async (t) => {
    const { get } = await start(t);
    assert.deepEqual(await get('/metrics'), [200, 'metric 1\n']);
    assert.deepEqual(await get('/.well-known/jwks.json'), [200, '{"keys":[]}']);
  });

  test('answers 500 without details where metrics cannot be rendered', async (t) => {
    const { get } = await start(t, { renderMetrics: () => Promise.reject(new Error('secret detail')) });
    assert.deepEqual(await get('/metrics'), [500, 'failed\n']);
  });

  test('serves nothing else, and only GET and HEAD', async (t) => {
    const { get } = await start(t);
    assert.equal((await get('/'))[0], 404);
    assert.equal((await get('/livez/'))[0], 404);
    assert.equal((await get('/livez', 'POST'))[0], 405);
    assert.deepEqual(await get('/livez', 'HEAD'), [200, '']);
  });

  test('rejects where its port is taken', async (t) => {
    const first = createAdminListener({
      readiness: [],
      renderMetrics: () => Promise.resolve(''),
      metricsType: 'text/plain',
      jwks: () => '',
    });
    t.after(() => first.close());
    const port = await first.listen('127.0.0.1', 0);
    const second = createAdminListener({
      readiness: [],
      renderMetrics: () => Promise.resolve(''),
      metricsType: 'text/plain',
      jwks: () => '',
    });
    await assert.rejects(second.listen('127.0.0.1', port), { code: 'EADDRINUSE' });
    await second.close();
  });
});
