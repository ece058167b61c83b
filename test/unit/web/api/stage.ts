import type { TestContext } from 'node:test';
import type { MintedToken } from '../../../../src/tokens/lifecycle.ts';
import {
  type ApiWorld,
  type ApiWorldOptions,
  type Identity,
  password,
  type Sent,
  type SignedIn,
  startApi,
} from './api-world.ts';

/** An API with people: an admin, two users, a token of each, and an admin key that reaches everything. */
export interface Stage extends ApiWorld {
  readonly root: SignedIn;
  readonly alice: SignedIn;
  readonly bob: SignedIn;
  readonly aliceToken: MintedToken;
  readonly bobToken: MintedToken;
  readonly fullKey: Identity;
}

/** Starts it; it ends with the test. */
export async function startStage(t: TestContext, options: ApiWorldOptions = {}): Promise<Stage> {
  const api = await startApi(t, options);
  const root = await api.signedIn('root', 'admin');
  const alice = await api.signedIn('alice');
  const bob = await api.signedIn('bob');
  const aliceToken = await api.mint(alice.user);
  const bobToken = await api.mint(bob.user, { name: 'bob’s phone' });
  return { ...api, root, alice, bob, aliceToken, bobToken, fullKey: await api.key() };
}

/** A request that an operation grants, for whoever it is meant for. */
export interface Sample {
  /** Whom it is for, where not for the key that reaches everything. */
  readonly as?: 'alice' | 'root' | 'token';
  readonly path: string;
  readonly sent?: Sent;
  readonly status: number;
}

/** One for each operation of the document, about alice and what is hers. */
export function samples(stage: Stage): Readonly<Record<string, Sample>> {
  const token = `/v1/tokens/${stage.aliceToken.token.id}`;
  const user = `/v1/users/${stage.alice.user.id}`;
  const policy = {
    ...{ lifeSecondsMax: 2_592_000, expiryRequired: true, scopes: ['path:/dav/{user}/:rw'] },
    ...{ startsEnabled: true, everybodyMayHaveTokens: true },
  };
  const newToken = { owner: stage.alice.user.id, name: 'tablet', scopes: ['*'] };
  return {
    listTokens: { path: '/v1/tokens', status: 200 },
    readToken: { path: token, status: 200 },
    makeToken: { path: '/v1/tokens', sent: { json: newToken }, status: 201 },
    editToken: { path: token, sent: { json: { name: 'renamed' } }, status: 200 },
    copyToken: { path: `${token}/copy`, sent: { json: { name: 'copy' } }, status: 201 },
    regenerateToken: { path: `${token}/regenerate`, sent: { json: {} }, status: 200 },
    switchTokenOff: { path: `${token}/disable`, status: 200 },
    switchTokenOn: { path: `${token}/enable`, status: 200 },
    revokeToken: { path: token, status: 200 },
    revokeTokens: {
      path: '/v1/tokens/revoke',
      sent: { json: { ids: [stage.aliceToken.token.id], why: 'lost' } },
      status: 200,
    },
    listUsers: { path: '/v1/users', status: 200 },
    readUser: { path: user, status: 200 },
    makeUser: { path: '/v1/users', sent: { json: { name: 'carol' } }, status: 201 },
    changeUser: { path: user, sent: { json: { displayName: 'Alice' } }, status: 200 },
    makePasswordLink: { path: `${user}/password-link`, status: 201 },
    removeUser: { path: user, status: 200 },
    listSessions: { path: `${user}/sessions`, status: 200 },
    endSession: { path: `${user}/sessions/${stage.alice.sessionId}`, status: 200 },
    endSessions: { path: `${user}/sessions`, status: 200 },
    readWhoAsks: { as: 'alice', path: '/v1/session', status: 200 },
    confirm: { as: 'alice', path: '/v1/session/confirm', sent: { json: { password } }, status: 200 },
    signOut: { as: 'alice', path: '/v1/session', status: 200 },
    changeOwnPassword: {
      as: 'alice',
      path: '/v1/account/password',
      sent: { json: { current: password, password: 'battery staple' } },
      status: 200,
    },
    changeOwnLanguage: {
      as: 'alice',
      path: '/v1/account/language',
      sent: { json: { language: 'de' } },
      status: 200,
    },
    listFolders: { as: 'alice', path: '/v1/folders?path=/dav/', status: 200 },
    readPolicy: { path: '/v1/policy', status: 200 },
    replacePolicy: {
      path: '/v1/policy',
      sent: { json: policy, headers: { 'If-Match': '"0"' } },
      status: 200,
    },
    listEvents: { path: '/v1/audit', status: 200 },
    exportEvents: { path: '/v1/audit/export', status: 200 },
    readSelf: { as: 'token', path: '/v1/self', status: 200 },
    revokeSelf: { as: 'token', path: '/v1/self', status: 204 },
  };
}

/** Whom a sample is for. */
export function identityOf(stage: Stage, { as }: Sample): Identity {
  if (as === 'token') return { Authorization: `Bearer ${stage.aliceToken.value}` };
  return as === undefined ? stage.fullKey : stage[as].identity;
}
