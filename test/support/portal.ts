import assert from 'node:assert/strict';
import { type Gateway, type GatewayOptions, startGateway } from './gateway.ts';

/** A browser without scripts: keeps cookies, follows redirects within the site, sends forms with their token. */
export interface PlainBrowser {
  /** Fetches a page; `path` is absolute. */
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Posts a form with the CSRF token of the page last fetched; `fields` may name one several times. */
  post(
    path: string,
    fields: Readonly<Record<string, string | readonly string[]>>,
    headers?: Readonly<Record<string, string>>,
  ): Promise<Response>;
  /** Any request, redirects not followed; the session's cookie goes along. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Signs in by the form; asserts that it worked. */
  signIn(user: string, password: string): Promise<void>;
  /** The token that forms of this browser carry now. */
  csrf(): Promise<string>;
  /** The Cookie field that it sends. */
  cookie(): string;
}

/** A gateway with pages, and people to use them. */
export interface PortalWorld {
  readonly gateway: Gateway;
  browser(): PlainBrowser;
  /** A local user with this password; an admin where told. */
  person(name: string, password?: string, options?: { readonly admin?: boolean }): Promise<void>;
  stop(): Promise<void>;
}

/** What people of tests have as passwords unless told otherwise. */
export const personPassword = 'correct horse battery';

/** Starts a gateway with its pages in front of a backend (one that nobody listens at, unless given). */
export async function startPortal(options: GatewayOptions = {}): Promise<PortalWorld> {
  const gateway = await startGateway({ backend: 'http://127.0.0.1:9', ...options });
  return {
    gateway,
    browser: () => createBrowser(gateway.url),
    async person(name, password = personPassword, { admin = false } = {}) {
      const done = await gateway.command(
        ['user', 'add', name, '--password-stdin', ...(admin ? ['--admin'] : [])],
        `${password}\n`,
      );
      assert.equal(done.code, 0, done.stderr);
    },
    stop: () => gateway.stop(),
  };
}

function createBrowser(origin: string): PlainBrowser {
  const cookies = new Map<string, string>();
  const cookie = (): string => [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');

  async function send(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (cookies.size > 0 && !headers.has('Cookie')) headers.set('Cookie', cookie());
    const answer = await fetch(new URL(path, origin), { ...init, headers, redirect: 'manual' });
    for (const line of answer.headers.getSetCookie()) keep(line);
    return answer;
  }

  function keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const name = pair.slice(0, pair.indexOf('='));
    const isGone = attributes.some((attribute) => /^max-age=0$/i.test(attribute));
    if (isGone) cookies.delete(name);
    else cookies.set(name, pair.slice(pair.indexOf('=') + 1));
  }

  async function follow(answer: Response): Promise<Response> {
    let current = answer;
    for (let hops = 0; hops < 10 && current.status >= 301 && current.status <= 303; hops++) {
      const next = new URL(current.headers.get('Location') ?? '', current.url);
      assert.equal(next.origin, origin, `a redirect leaves the site: ${next.href}`);
      current = await send(next.pathname + next.search);
    }
    return current;
  }

  const get: PlainBrowser['get'] = async (path, headers = {}) => follow(await send(path, { headers }));
  const csrf = async (): Promise<string> => {
    const page = await (await get('/.latchkey/')).text();
    const token = /name="csrf" value="([\w-]+)"/.exec(page)?.[1];
    assert.ok(token, 'the page has a form with a token');
    return token;
  };
  const browser: PlainBrowser = {
    get,
    csrf,
    cookie,
    fetch: send,
    async post(path, fields, headers = {}) {
      const body = new URLSearchParams({ csrf: await csrf() });
      for (const [name, value] of Object.entries(fields)) {
        for (const one of typeof value === 'string' ? [value] : value) body.append(name, one);
      }
      return follow(await send(path, { method: 'POST', body, headers }));
    },
    async signIn(user, password) {
      const answer = await browser.post('/.latchkey/sign-in', { username: user, password });
      assert.equal(answer.status, 200, await answer.clone().text());
      assert.doesNotMatch(answer.url, /sign-in/);
    },
  };
  return browser;
}
