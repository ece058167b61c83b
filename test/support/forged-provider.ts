import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** What a provider says that lies. Each part may be replaced. */
export interface Lies {
  /** Over the claims of an honest ID token. */
  claims: JWTPayload;
  /** Signs with a key that it does not publish. */
  signsWithForeignKey: boolean;
  /** Instead of an ID token. */
  idToken: string | null;
  /** Over its own description of itself. */
  metadata: Readonly<Record<string, unknown>>;
  /** Status and body of the token endpoint, instead of tokens. */
  tokenAnswer: { readonly status: number; readonly body: string } | null;
}

/** A provider that speaks just enough of the protocol to lie in it. */
export interface ForgedProvider {
  readonly issuer: string;
  /** What it says from now on. */
  readonly lies: Lies;
  /** The callback that an honest provider would lead to, for the address that begins a sign-in. */
  answerTo(begin: string): string;
  close(): Promise<void>;
}

/** Listens on 127.0.0.1; honest until told otherwise. */
export async function startForgedProvider(): Promise<ForgedProvider> {
  const [own, foreign] = await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')]);
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'own', alg: 'ES256', use: 'sig' };
  const lies: Lies = {
    ...{ claims: {}, signsWithForeignKey: false, idToken: null, metadata: {}, tokenAnswer: null },
  };
  let nonce = '';
  let issuer = '';

  async function idToken(): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    const honest = { iss: issuer, aud: 'latchkey', sub: 'somebody', nonce, iat: now, exp: now + 600 };
    const name = { name: 'Some Body', email: 'some@example.org' };
    return new SignJWT({ ...honest, ...name, ...lies.claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'own' })
      .sign(lies.signsWithForeignKey ? foreign.privateKey : own.privateKey);
  }

  async function answer(path: string): Promise<{ readonly status: number; readonly body: string }> {
    const ok = (value: unknown) => ({ status: 200, body: JSON.stringify(value) });
    switch (path) {
      case '/.well-known/openid-configuration':
        return ok({
          issuer,
          authorization_endpoint: `${issuer}/auth`,
          token_endpoint: `${issuer}/token`,
          jwks_uri: `${issuer}/jwks`,
          ...{ response_types_supported: ['code'], subject_types_supported: ['public'] },
          id_token_signing_alg_values_supported: ['ES256'],
          ...lies.metadata,
        });
      case '/jwks':
        return ok({ keys: [jwk] });
      case '/token':
        return (
          lies.tokenAnswer ??
          ok({ access_token: 'a', token_type: 'Bearer', id_token: lies.idToken ?? (await idToken()) })
        );
      default:
        return { status: 404, body: '{}' };
    }
  }

  const server = createServer((req: IncomingMessage, res) => {
    req.resume();
    void answer(req.url ?? '').then(({ status, body }) => {
      res.writeHead(status, { 'content-type': 'application/json' }).end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    lies,
    answerTo(begin) {
      const { searchParams } = new URL(begin);
      nonce = searchParams.get('nonce') ?? '';
      const back = new URL(searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('code', 'a-code');
      back.searchParams.set('state', searchParams.get('state') ?? '');
      return back.href;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
