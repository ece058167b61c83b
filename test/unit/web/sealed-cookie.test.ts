import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Hono } from 'hono';
import type { Visit, WebEnv } from '../../../src/web/context.ts';
import { createPendingCookie } from '../../../src/web/sealed-cookie.ts';
import { steppedClock } from '../../support/stepped-clock.ts';

const visit: Visit = {
  ...{ address: '192.0.2.1', userAgent: null, language: 'en' },
  ...{ origin: 'https://gw.example', isSecure: true, requestId: 'r1' },
};

function start() {
  const clock = steppedClock();
  // Turned round instead of sealed: what counts here is when it holds.
  const sealer = {
    seal: (context: string, text: string) => Buffer.from(`${context}\n${text}`).toString('base64url'),
    open(context: string, sealed: string) {
      const text = Buffer.from(sealed, 'base64url').toString();
      return text.startsWith(`${context}\n`) ? text.slice(context.length + 1) : null;
    },
  };
  const cookie = createPendingCookie({ sealer, clock, maxAgeMs: 600_000 });
  const app = new Hono<WebEnv>();
  app.use((c, next) => {
    c.set('visit', visit);
    return next();
  });
  app.get('/set', (c) => {
    cookie.set(c, 'on the way');
    return c.body(null);
  });
  app.get('/take', (c) => c.json(cookie.take(c)));
  return { app, clock };
}

async function kept(app: Hono<WebEnv>): Promise<string> {
  const [given = ''] = (await app.request('/set')).headers.getSetCookie();
  return given.split(';')[0] ?? '';
}

test('what is under way at a provider can be read until its time is over, and not by who kept the cookie longer', async () => {
  const { app, clock } = start();
  const Cookie = await kept(app);
  clock.advance(599_999);
  assert.equal(await (await app.request('/take', { headers: { Cookie } })).json(), 'on the way');
  clock.advance(1);
  assert.equal(await (await app.request('/take', { headers: { Cookie } })).json(), null);
});

test('what is under way at a provider is taken away from the browser that comes back, also where it cannot be read', async () => {
  const { app } = start();
  for (const Cookie of [await kept(app), '__Host-latchkey-pending=garbage']) {
    const answer = await app.request('/take', { headers: { Cookie } });
    assert.match(answer.headers.get('Set-Cookie') ?? '', /^__Host-latchkey-pending=; Max-Age=0/);
  }
});
