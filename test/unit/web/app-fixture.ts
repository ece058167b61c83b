import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { Hono } from 'hono';
import type { Person } from '../../../src/management/caller.ts';
import { createWebApp, type WebAppDeps } from '../../../src/web/app.ts';
import type { WebEnv, WebRouter } from '../../../src/web/context.ts';
import { readForm } from '../../../src/web/forms.ts';

/** A site of one page with a form, one API resource, and handlers that fail, at a port of its own. */
export interface StartedSite {
  readonly url: string;
  readonly faults: readonly unknown[];
  /** Forms that arrived. */
  readonly posted: readonly string[];
}

/** The secret that stands for alice's session. */
export const aliceSecret = 'a-secret-of-alice';

const alice = { user: { name: 'alice', language: null } } as Person;

/** Starts it; it ends with the test. */
export async function startSite(
  t: TestContext,
  change: Partial<WebAppDeps> & { readonly scheme?: 'http' | 'https' } = {},
): Promise<StartedSite> {
  const faults: unknown[] = [];
  const posted: string[] = [];
  const portal: WebRouter = new Hono<WebEnv>();
  portal.get('/', (c) =>
    c.text(`${c.get('person')?.user.name ?? 'nobody'} ${c.get('csrf')} ${c.get('visit').language}`),
  );
  portal.post('/', async (c) => {
    posted.push((await readForm(c)).text('name'));
    return c.text('done');
  });
  const api: WebRouter = new Hono<WebEnv>();
  api.get('/who', (c) => c.json({ name: c.get('person')?.user.name ?? null }));
  api.post('/who', (c) => c.json({ name: c.get('person')?.user.name ?? null }));
  api.get('/broken', () => {
    throw new Error('a secret path /home/x');
  });
  const app = createWebApp({
    signIn: { recognise: async (secret) => (secret === aliceSecret ? alice : null) },
    portal,
    api,
    problemPage: (c, { status, detail }) => c.text(detail, status as 400),
    url: null,
    providerOrigins: ['https://id.example'],
    fault: (_, error) => void faults.push(error),
    ...change,
  });
  const server = createServer((req, res) => {
    const { host = '' } = req.headers;
    const scheme = change.scheme ?? 'http';
    const userAgent = req.headers['user-agent'] ?? null;
    app.handle(req, res, { address: '192.0.2.1', scheme, host, userAgent, requestId: 'r1', userName: null });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => new Promise((resolve) => server.close(resolve)));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, faults, posted };
}
