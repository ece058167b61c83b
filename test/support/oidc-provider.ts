import { fork } from 'node:child_process';
import { once } from 'node:events';
import { within } from './eventually.ts';

/** Somebody whom the provider knows. */
export interface ProviderPerson {
  readonly subject: string;
  readonly login: string;
  readonly password: string;
  readonly name: string;
  readonly email: string;
  readonly groups: readonly string[];
}

/** How a test wants its provider. */
export interface ProviderOptions {
  /** Default: a free one. */
  readonly port?: number;
  readonly people: readonly ProviderPerson[];
  /** Default `latchkey`. */
  readonly clientId?: string;
  /** Null: a public client. */
  readonly clientSecret?: string | null;
  /** True: names, mail addresses and groups are told by UserInfo alone, not by the ID token. */
  readonly claimsByUserInfo?: boolean;
  /** PEM text; default: plain http. */
  readonly tls?: { readonly key: string; readonly cert: string } | null;
}

/** The same, nothing left out. */
export type ProviderSetup = Required<ProviderOptions>;

/** What the provider's process is told. */
export type ProviderOrder =
  | { readonly kind: 'start'; readonly setup: ProviderSetup }
  | {
      readonly kind: 'change';
      readonly subject: string;
      readonly changes: Partial<ProviderPerson> & { readonly disabled?: boolean };
    };

/** What the provider's process tells. */
export type ProviderTold =
  | { readonly kind: 'listening'; readonly issuer: string }
  | { readonly kind: 'changed' }
  | { readonly kind: 'refused'; readonly error: string };

/** A real provider that lives as long as its test; any address of this machine may be come back to. */
export interface OidcProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | null;
  /** Changes what is known of somebody; `disabled` lets nobody in by it and ends grants. */
  change(subject: string, changes: Partial<ProviderPerson> & { readonly disabled?: boolean }): Promise<void>;
  /** Why the token endpoint refused, latest last. */
  readonly refusals: readonly string[];
  /** SIGSTOP: connections stay, nothing is answered. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Starts a provider on 127.0.0.1; resolves once it listens. */
export async function startOidcProvider(options: ProviderOptions): Promise<OidcProvider> {
  const setup: ProviderSetup = {
    ...{
      port: 0,
      clientId: 'latchkey',
      clientSecret: 'a client secret: with % and +',
      claimsByUserInfo: false,
    },
    tls: null,
    ...options,
  };
  const child = fork(new URL('oidc-provider-main.ts', import.meta.url), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  // It warns of everything that makes it a provider for tests; told where it does not start.
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const refusals: string[] = [];
  const waiting: ((told: ProviderTold) => void)[] = [];
  child.on('message', (told: ProviderTold) => {
    if (told.kind === 'refused') refusals.push(told.error);
    else waiting.shift()?.(told);
  });
  const order = (message: ProviderOrder): Promise<ProviderTold> => {
    const told = new Promise<ProviderTold>((resolve, reject) => {
      waiting.push(resolve);
      child.once('exit', () => reject(new Error(`the provider has ended: ${stderr}`)));
    });
    child.send(message);
    return within('the provider to answer', 20_000, told);
  };
  const told = await order({ kind: 'start', setup });
  if (told.kind !== 'listening') throw new Error('the provider did not start');
  return {
    issuer: told.issuer,
    ...{ clientId: setup.clientId, clientSecret: setup.clientSecret, refusals },
    change: async (subject, changes) => void (await order({ kind: 'change', subject, changes })),
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

/** Whom the provider knows the browser as: cookies by name. */
export type ProviderBrowser = Map<string, string>;

/**
 * Goes through the provider's pages as a person would, from the address that begins a sign-in to the one that leads
 * back to the callback, which is resolved to and not asked for. An already signed-in browser is not asked again.
 */
export async function signInAtProvider(
  begin: string,
  person: Pick<ProviderPerson, 'login' | 'password'>,
  browser: ProviderBrowser = new Map(),
): Promise<string> {
  const { origin } = new URL(begin);
  let url = begin;
  let form: URLSearchParams | null = null;
  for (let step = 0; step < 12; step++) {
    const answer = await fetch(url, {
      method: form === null ? 'GET' : 'POST',
      body: form,
      redirect: 'manual',
      headers: { cookie: Array.from(browser, ([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      browser.set(name, value);
    }
    const text = await answer.text();
    const location = answer.headers.get('location');
    form = null;
    if (location !== null) {
      url = new URL(location, url).href;
      if (!url.startsWith(`${origin}/`)) return url;
    } else if (text.includes('role="alert"') || !text.includes('name="password"')) {
      throw new Error(`the provider refused: ${answer.status} ${text}`);
    } else {
      form = new URLSearchParams({ login: person.login, password: person.password });
    }
  }
  throw new Error(`the provider leads in circles, at last to ${url}`);
}
