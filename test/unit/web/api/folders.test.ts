import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStage } from './stage.ts';

test('folders are shown as the person sees them, from the routes on', async (t) => {
  const stage = await startStage(t);
  const ask = (query: string) => stage.ask('GET', `/v1/folders${query}`, stage.alice.identity);
  assert.deepEqual((await ask('')).json.items, [{ path: '/dav/', name: 'files' }]);
  assert.deepEqual((await ask('?path=/dav/')).json.items, [{ path: '/dav/Photos/', name: 'Photos' }]);
  const foreign = await stage.ask('GET', '/v1/folders?path=/dav/', stage.bob.identity);
  assert.deepEqual([foreign.status, foreign.json.code], [404, 'not_found']);
});

test('what lies behind no route, is no folder, or cannot be asked is told so', async (t) => {
  const stage = await startStage(t);
  const ask = async (path: string): Promise<string> => {
    const { status, json } = await stage.ask('GET', `/v1/folders?path=${path}`, stage.alice.identity);
    return `${status} ${json.code}`;
  };
  assert.equal(await ask('/elsewhere/'), '404 not_found');
  assert.equal(await ask('/dav'), '400 bad_parameters');
  assert.equal(await ask('dav/'), '400 bad_parameters');
  assert.equal(await ask('/dav/broken/'), '502 backend_unreachable');
});
