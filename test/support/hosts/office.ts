/** How clients change tokens: each change is tried, at one gateway and then another, until it is confirmed. */
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { run } from '../child-process.ts';
import { machineMs } from '../verifier-process.ts';
import { type Answered, type Asked, createGatewayClient, type GatewayAddress } from './gateway-client.ts';
import type { CallEvent, ChangeKind, HistoryEvent, SeenEvent, TokenState } from './history.ts';
import type { Seeded } from './seeded.ts';

/** A token and what its maker knows of it. */
export interface HeldToken {
  readonly id: string;
  readonly ownerId: string;
  readonly ownerName: string;
  /** Its values; the last one is the current one. */
  readonly secrets: string[];
  version: number;
  ownerVersion: number;
}

/** What an office needs. */
export interface OfficeDeps {
  readonly gateways: readonly GatewayAddress[];
  /** An admin key for users and tokens. */
  readonly key: string;
  readonly note: (event: HistoryEvent) => void;
  /** True once nothing more is to be tried. */
  readonly over: () => boolean;
}

/** Makes, changes and reads tokens through the API and the command line of any gateway. */
export interface Office {
  /** Null where the run ended before it was confirmed. */
  mint(random: Seeded): Promise<HeldToken | null>;
  /** Resolves once the change is confirmed, or the run is over. */
  change(random: Seeded, token: HeldToken, what: Exclude<ChangeKind, 'mint'>): Promise<void>;
  /** Reads the token at one gateway and notes what it shows, where an answer comes. */
  look(gateway: GatewayAddress, token: HeldToken): Promise<boolean>;
}

/** Pause before a change is tried at the next gateway, milliseconds. */
const pauseMs = 250;
/** Longer than any gateway is paused, and than the store may take. */
const abandonMs = 20_000;
/** Of all changes that a command can make, so many are made by one: a process of its own, a second of the machine. */
const commandShare = 0.06;
const api = '/.latchkey/api/v1';

interface ShownToken {
  readonly id: string;
  readonly prefix: string;
  readonly enabled: boolean;
  readonly scopes: readonly string[];
  readonly state: string;
  readonly revocation: object | null;
}

/** Where an attempt came to: the answer that settles it, or what to do next. */
type Settled<T> = { readonly done: T } | 'again';

/** See `Office`. */
export function createOffice(deps: OfficeDeps): Office {
  const clients = new Map(
    deps.gateways.map((each) => [each.name, createGatewayClient(each.host, each.port)]),
  );

  async function call(
    gateway: GatewayAddress,
    what: CallEvent['what'],
    asked: Asked,
  ): Promise<Answered | null> {
    const startedAt = machineMs();
    const headers = { authorization: `Bearer ${deps.key}`, ...asked.headers };
    const answer = (await clients.get(gateway.name)?.({ ...asked, headers })) ?? null;
    const outcome =
      answer === null ? 'silent' : answer.status >= 500 ? 'fault' : answer.status < 400 ? 'done' : 'refused';
    deps.note({
      kind: 'call',
      what,
      by: 'api',
      gateway: gateway.name,
      startedAt,
      endedAt: machineMs(),
      outcome,
    });
    return answer;
  }

  /** Tries until `settle` is content; null where the run is over first. */
  async function persist<T>(
    random: Seeded,
    attempt: (gateway: GatewayAddress) => Promise<Settled<T>>,
  ): Promise<T | null> {
    for (;;) {
      const settled = await attempt(random.pick(deps.gateways));
      if (settled !== 'again') return settled.done;
      if (deps.over()) return null;
      await delay(pauseMs);
    }
  }

  /**
   * A request that makes something: the same key gives the same thing, however often it is sent. What a gateway began and
   * was killed over stays noted as running for minutes: nobody can still be at it after `abandonMs`, and another begins.
   */
  async function makeOnce<T>(
    random: Seeded,
    what: CallEvent['what'],
    path: string,
    order: () => object,
  ): Promise<T | null> {
    let [key, body] = [randomUUID(), order()];
    let runningSince: number | null = null;
    return persist<T>(random, async (gateway) => {
      const headers = { 'idempotency-key': key };
      const answer = await call(gateway, what, { method: 'POST', path, headers, body });
      if (answer?.status === 409) {
        runningSince ??= performance.now();
        if (performance.now() - runningSince < abandonMs) return 'again';
        [key, body] = [randomUUID(), order()];
      }
      if (answer?.status !== 409) runningSince = null;
      if (answer === null || answer.status >= 500 || answer.status === 409) return 'again';
      return { done: JSON.parse(madeText(answer)) as T };
    });
  }

  async function mint(random: Seeded): Promise<HeldToken | null> {
    const made = await makeOnce<MadeUser>(random, 'make user', `${api}/users`, () => ({
      name: `user-${random.name()}`,
    }));
    if (made === null) return null;
    const { id: ownerId, name: ownerName, version: ownerVersion } = made.user;
    const order = { owner: ownerId, name: 'phone', scopes: scopes(true) };
    const fresh = await makeOnce<FreshToken>(random, 'mint', `${api}/tokens`, () => order);
    if (fresh === null) return null;
    const { id, version } = fresh.token;
    return { id, ownerId, ownerName, secrets: [fresh.value], version, ownerVersion };
  }

  async function regenerate(random: Seeded, token: HeldToken): Promise<boolean> {
    const path = `${api}/tokens/${token.id}/regenerate`;
    const fresh = await makeOnce<FreshToken>(random, 'regenerate', path, () => ({}));
    if (fresh === null) return false;
    token.secrets.push(fresh.value);
    token.version = fresh.token.version;
    return true;
  }

  /** The version keeps an attempt that was thought lost from being carried out after a later change. */
  async function editOnce(random: Seeded, token: HeldToken, what: ChangeKind): Promise<boolean> {
    const ofOwner = what === 'shut owner out' || what === 'let owner in';
    const resource = ofOwner ? `${api}/users/${token.ownerId}` : `${api}/tokens/${token.id}`;
    const done = await persist<number>(random, async (gateway) => {
      const version = ofOwner ? token.ownerVersion : token.version;
      const headers = { 'if-match': `"${version}"` };
      const answer = await call(gateway, what, { ...editOf(what, resource), headers });
      if (answer === null || answer.status >= 500) return 'again';
      if (answer.status !== 412) return { done: versionOf(answer) };
      // Somebody has changed it: an attempt of ours that had not been answered.
      const read = await call(gateway, 'read', { method: 'GET', path: resource });
      if (read === null || read.status >= 500) return 'again';
      return { done: versionOf(read) };
    });
    if (done === null) return false;
    if (ofOwner) token.ownerVersion = done;
    else token.version = done;
    return true;
  }

  async function revoke(random: Seeded, token: HeldToken): Promise<boolean> {
    const byCommand = random.chance(commandShare);
    const done = await persist<boolean>(random, async (gateway) => {
      if (byCommand) return (await revokeByCommand(gateway, token)) ? { done: true } : 'again';
      const answer = await call(gateway, 'revoke', { method: 'DELETE', path: `${api}/tokens/${token.id}` });
      return answer === null || answer.status >= 500 ? 'again' : { done: versionOf(answer) > 0 };
    });
    return done === true;
  }

  async function revokeByCommand(gateway: GatewayAddress, token: HeldToken): Promise<boolean> {
    const startedAt = machineMs();
    const [command = '', ...args] = gateway.command;
    const finished = await run({
      label: 'latchkey token revoke',
      command,
      args: [...args, 'token', 'revoke', token.id, '--config', gateway.configFile],
      withinMs: 30_000,
    }).catch(() => null);
    const outcome =
      finished === null ? 'silent' : finished.code === 0 ? 'done' : finished.code === 1 ? 'fault' : 'refused';
    const endedAt = machineMs();
    deps.note({
      kind: 'call',
      what: 'revoke',
      by: 'command',
      gateway: gateway.name,
      startedAt,
      endedAt,
      outcome,
    });
    // 4: revoked already, by an attempt that had not been answered.
    return outcome === 'done' || finished?.code === 4;
  }

  return {
    async mint(random) {
      const startedAt = machineMs();
      const token = await mint(random);
      if (token === null) return null;
      const to: TokenState = {
        generation: 0,
        enabled: true,
        writes: true,
        revoked: false,
        ownerEnabled: true,
      };
      deps.note({ kind: 'change', token: token.id, what: 'mint', to, startedAt, endedAt: machineMs() });
      return token;
    },
    async change(random, token, what) {
      const startedAt = machineMs();
      const generation = token.secrets.length;
      const tried =
        what === 'regenerate'
          ? regenerate(random, token)
          : what === 'revoke'
            ? revoke(random, token)
            : editOnce(random, token, what);
      const endedAt = (await tried) ? machineMs() : null;
      deps.note({
        kind: 'change',
        token: token.id,
        what,
        to: effectOf(what, generation),
        startedAt,
        endedAt,
      });
    },
    async look(gateway, token) {
      const startedAt = machineMs();
      const answer = await call(gateway, 'read', { method: 'GET', path: `${api}/tokens/${token.id}` });
      if (answer === null || answer.status >= 500) return false;
      const state = answer.status === 404 ? null : stateOf(JSON.parse(answer.body) as ShownToken, token);
      const seen: SeenEvent = {
        ...{ kind: 'seen', token: token.id, where: gateway.name, startedAt, endedAt: machineMs(), state },
      };
      deps.note(seen);
      return true;
    },
  };
}

interface MadeUser {
  readonly user: { readonly id: string; readonly name: string; readonly version: number };
}

interface FreshToken {
  readonly token: { readonly id: string; readonly version: number };
  readonly value: string;
}

function scopes(writes: boolean): readonly string[] {
  return [`path:/files/:${writes ? 'rw' : 'r'}`];
}

function editOf(what: ChangeKind, resource: string): Asked {
  switch (what) {
    case 'disable':
    case 'enable':
      return { method: 'POST', path: `${resource}/${what}` };
    case 'narrow':
    case 'widen':
      return { method: 'PATCH', path: resource, body: { scopes: scopes(what === 'widen') } };
    default:
      return { method: 'PATCH', path: resource, body: { disabled: what === 'shut owner out' } };
  }
}

function effectOf(what: Exclude<ChangeKind, 'mint'>, generation: number): Partial<TokenState> {
  switch (what) {
    case 'revoke':
      return { revoked: true };
    case 'disable':
    case 'enable':
      return { enabled: what === 'enable' };
    case 'narrow':
    case 'widen':
      return { writes: what === 'widen' };
    case 'regenerate':
      return { generation };
    default:
      return { ownerEnabled: what === 'let owner in' };
  }
}

/** What a shown token says; whether its owner is shut out shows only where nothing else forbids it. */
function stateOf(shown: ShownToken, token: HeldToken): Partial<TokenState> {
  const generation = token.secrets.findLastIndex((secret) => secret.startsWith(shown.prefix));
  const revoked = shown.revocation !== null;
  return {
    ...(revoked ? {} : { generation }),
    enabled: shown.enabled,
    writes: shown.scopes.some((scope) => scope.endsWith(':rw')),
    revoked,
    ...(shown.state === 'active' ? { ownerEnabled: true } : {}),
    ...(shown.state === 'owner_shut_out' ? { ownerEnabled: false } : {}),
  };
}

function madeText(answer: Answered): string {
  if (answer.status !== 200 && answer.status !== 201) throw unexpected(answer);
  return answer.body;
}

function versionOf(answer: Answered): number {
  if (answer.status !== 200) throw unexpected(answer);
  return Number(answer.etag?.replaceAll('"', ''));
}

function unexpected(answer: Answered): Error {
  return new Error(`the API answered ${answer.status}: ${answer.body}`);
}
