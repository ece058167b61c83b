/*
 * A real OpenID Connect provider in a process of its own: oidc-provider with a sign-in page of one form. Told what to
 * do by messages of its parent; ends with it.
 */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Account, type ClientMetadata, type Configuration, Provider } from 'oidc-provider';
import type { ProviderOrder, ProviderPerson, ProviderSetup, ProviderTold } from './oidc-provider.ts';

/** Everything that is known of somebody, whether or not it still counts. */
interface Known extends ProviderPerson {
  disabled: boolean;
}

const people = new Map<string, Known>();

function tell(message: ProviderTold): void {
  process.send?.(message);
}

function account(id: string): Account | undefined {
  const person = people.get(id);
  if (person === undefined || person.disabled) return undefined;
  const { subject: sub, name, email, groups, login } = person;
  const claims = { sub, name, email, groups: [...groups], preferred_username: login };
  return { accountId: id, claims: () => claims };
}

function configure(setup: ProviderSetup): Configuration {
  const client: ClientMetadata = {
    client_id: setup.clientId,
    grant_types: ['authorization_code', 'refresh_token'],
    redirect_uris: ['http://127.0.0.1/callback'],
    post_logout_redirect_uris: ['http://127.0.0.1/'],
    ...(setup.clientSecret === null
      ? { token_endpoint_auth_method: 'none' }
      : { client_secret: setup.clientSecret }),
  };
  return {
    clients: [client],
    findAccount: (_ctx, id) => account(id),
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username', 'groups'],
      email: ['email'],
    },
    scopes: ['openid', 'profile', 'email', 'offline_access'],
    conformIdTokenClaims: setup.claimsByUserInfo,
    cookies: { keys: ['a key for tests'] },
    features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true } },
    interactions: { url: (_ctx, { uid }) => `/interaction/${uid}` },
    rotateRefreshToken: true,
    ttl: {
      AccessToken: 600,
      IdToken: 600,
      RefreshToken: 86_400,
      Session: 86_400,
      Interaction: 600,
      Grant: 86_400,
    },
  };
}

/** Which addresses a client may come back to is no matter here: every one of this machine. */
function isOfThisMachine(uri: string): boolean {
  return ['127.0.0.1', 'localhost'].includes(new URL(uri).hostname);
}

function start(setup: ProviderSetup): void {
  for (const person of setup.people) people.set(person.subject, { ...person, disabled: false });
  const listener = (req: IncomingMessage, res: ServerResponse): void => void answer(req, res);
  const { tls } = setup;
  const server = tls === null ? createHttpServer(listener) : createHttpsServer(tls, listener);
  server.listen(setup.port, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo;
    const issuer = `${tls === null ? 'http' : 'https'}://127.0.0.1:${port}`;
    provider = new Provider(issuer, configure(setup));
    Object.assign(provider.Client.prototype, {
      redirectUriAllowed: isOfThisMachine,
      postLogoutRedirectUriAllowed: isOfThisMachine,
    });
    // Which requests came, so that a test can see that none did.
    provider.on('grant.error', (_ctx, error) => tell({ kind: 'refused', error: error.message }));
    handle = provider.callback();
    tell({ kind: 'listening', issuer });
  });
}

let provider: Provider | null = null;
let handle: ((req: IncomingMessage, res: ServerResponse) => Promise<void>) | null = null;

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const isInteraction = /^\/interaction\/[\w-]+$/.test(req.url ?? '');
  try {
    if (isInteraction) await interact(req, res);
    else await handle?.(req, res);
  } catch (error) {
    res.writeHead(400, { 'content-type': 'text/plain' }).end(String(error));
  }
}

/** One form asks for name and password; consent is given by itself. */
async function interact(req: IncomingMessage, res: ServerResponse): Promise<void> {
  if (provider === null) return;
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  if (prompt.name === 'consent') {
    const grant = new provider.Grant({
      clientId: String(params['client_id']),
      ...(session === undefined ? {} : { accountId: session.accountId }),
    });
    grant.addOIDCScope(String(params['scope']));
    const grantId = await grant.save();
    await provider.interactionFinished(req, res, { consent: { grantId } }, { mergeWithLastSubmission: true });
    return;
  }
  if (req.method !== 'POST') {
    page(res, '');
    return;
  }
  const form = new URLSearchParams(await textOf(req));
  const person = [...people.values()].find(({ login }) => login === form.get('login'));
  if (person === undefined || person.disabled || person.password !== form.get('password')) {
    page(res, '<p role="alert">Wrong name or password.</p>');
    return;
  }
  await provider.interactionFinished(req, res, { login: { accountId: person.subject } });
}

function page(res: ServerResponse, message: string): void {
  res.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
  res.end(
    `<!doctype html><html lang="en"><title>Provider sign-in</title><h1>Provider sign-in</h1>${message}` +
      '<form method="post"><p><label>User name <input name="login" autocomplete="username" autofocus></label></p>' +
      '<p><label>Password <input name="password" type="password"></label></p><button>Sign in</button></form></html>',
  );
}

async function textOf(req: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of req.setEncoding('utf8')) text += String(chunk);
  return text;
}

process.on('message', (order: ProviderOrder) => {
  if (order.kind === 'start') start(order.setup);
  else {
    const person = people.get(order.subject);
    if (person !== undefined) people.set(order.subject, { ...person, ...order.changes });
    tell({ kind: 'changed' });
  }
});
process.on('disconnect', () => process.exit(0));
