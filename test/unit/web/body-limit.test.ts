import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import { limitBody } from '../../../src/web/body-limit.ts';
import type { WebEnv } from '../../../src/web/context.ts';

function site(bytesMax: number): Hono<WebEnv> {
  const app = new Hono<WebEnv>();
  app.use(limitBody(bytesMax, (c) => c.text('too large', 413)));
  app.all('/', async (c) => c.text(await c.req.text()));
  return app;
}

const chunked = (method: string, ...chunks: readonly string[]): Request =>
  new Request('http://localhost/', {
    method,
    headers: { 'Transfer-Encoding': 'chunked', 'Content-Type': 'text/plain' },
    body: new Blob([...chunks]).stream(),
    duplex: 'half',
  });

test('a body in chunks reaches its handler whole, up to the limit and not beyond', async () => {
  const app = site(10);
  const within = await app.request(chunked('POST', '12345', '67890'));
  assert.deepEqual([within.status, await within.text()], [200, '1234567890']);
  assert.equal((await app.request(chunked('POST', '12345', '678901'))).status, 413);
});

test('a body that says its length is judged by that', async () => {
  const app = site(10);
  const sent = (text: string): Response | Promise<Response> =>
    app.request('/', { method: 'PUT', body: text, headers: { 'Content-Length': String(text.length) } });
  assert.equal((await sent('1234567890')).status, 200);
  assert.equal((await sent('12345678901')).status, 413);
});

test('a body that says neither its length nor that it comes in chunks, as HTTP/2 allows, is limited all the same', async () => {
  const app = site(10);
  const sent = (text: string): Response | Promise<Response> =>
    app.request('/', { method: 'POST', body: new Blob([text]).stream(), duplex: 'half' });
  const within = await sent('1234567890');
  assert.deepEqual([within.status, await within.text()], [200, '1234567890']);
  assert.equal((await sent('12345678901')).status, 413);
});

test('a request without a body goes on', async () => {
  assert.equal((await site(0).request('/', { method: 'DELETE' })).status, 200);
});
