import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startApache } from './apache.ts';
import { home, sampleBrowsers, samplePeople, type SampleToken, sampleTokens } from './browser-sample-past.ts';
import { endAll } from './end-all.ts';
import { eventually } from './eventually.ts';
import { type Gateway, route } from './gateway.ts';
import { personPassword, type PlainBrowser, type PortalWorld, startPortal } from './portal.ts';
import { makeScratch } from './scratch.ts';
import { type SettableClock, settableClock } from './settable-clock.ts';
import { startTlsFront } from './tls-front.ts';

/** Where the sample site is, to a browser that is told so. */
export const sampleHost = 'files.example.org';

/** A site in use: people, tokens in every state, devices, sessions, a past. */
export interface SampleSite {
  readonly world: PortalWorld;
  /** Where `https://files.example.org` is answered. */
  readonly tlsPort: number;
  /** The id of a token or a user by name. */
  id(name: string): string;
  /** A one-time link for somebody to choose a password: its path. */
  passwordLink(userName: string): Promise<string>;
  stop(): Promise<void>;
}

/** Who signs in at the sample site: lena, a user with many tokens; mira, who manages it. Both have the usual password. */
export type SamplePerson = 'lena' | 'mira';

/** What is sent to the API, by whomever. */
type Ask = (path: string, data: object) => Promise<Record<string, unknown>>;

interface Happening {
  /** Milliseconds before now. */
  readonly agoMs: number;
  readonly happen: () => Promise<unknown>;
}

const hour = 3_600_000;
const day = 24 * hour;
const folders = ['Backup', 'Documents/Inbox', 'Documents/Taxes', 'Music', 'Photos/Garden', 'Reports'];

/** Starts the sample site and lets its past happen. */
export async function startSampleSite(): Promise<SampleSite> {
  const [apache, scratch] = await Promise.all([startApache(), makeScratch('clock')]);
  for (const folder of folders) await mkdir(join(apache.folder, folder), { recursive: true });
  const clock = settableClock(scratch);
  const world = await startPortal({
    routes: [
      route({ match: { path: '/dav/' }, backend: apache.url }),
      route({ name: 'calendar', match: { path: '/cal/' }, backend: apache.url, kind: 'caldav' }),
    ],
    config: { trustedProxies: ['127.0.0.1'], portal: { confirmation: '1h' } },
    env: clock.env,
  });
  const { gateway } = world;
  const front = await startTlsFront(gateway.port);
  const stop = (): Promise<void> =>
    endAll(
      () => front.close(),
      () => world.stop(),
      () => apache.stop(),
      () => scratch.remove(),
    );
  try {
    const ids = await letPastHappen(world, clock);
    return {
      ...{ world, stop, tlsPort: front.port },
      id(name) {
        const id = ids.get(name);
        assert.ok(id, `the sample has no ${name}`);
        return id;
      },
      async passwordLink(userName) {
        return (await command(gateway, ['user', 'link', userName])).trim();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Resolves to the ids of users and tokens by name. */
async function letPastHappen(world: PortalWorld, clock: SettableClock): Promise<ReadonlyMap<string, string>> {
  const { gateway } = world;
  const mira = ['mira', '--password-stdin', '--admin', '--display-name', 'Mira Vogel'];
  await command(gateway, ['user', 'add', ...mira, '--mail', 'mira.vogel@example.org'], `${personPassword}\n`);
  const scopes = ['--scope', 'users', '--scope', 'tokens'];
  const key = (
    await command(gateway, ['key', 'create', 'onboarding', '--expires', '90d', ...scopes, '--quiet'])
  ).trim();
  const byKey = askAs((path, init) => fetch(gateway.url + path, init), { Authorization: `Bearer ${key}` });
  const ids = new Map<string, string>();
  const now = Date.now();

  const adding = samplePeople.map((person): Happening => {
    const add = async (): Promise<unknown> =>
      ids.set(person.name, ((await byKey('/users', person)) as { user: { id: string } }).user.id);
    return { agoMs: 120 * day, happen: add };
  });
  const using = sampleTokens.flatMap((token) => happeningsOf(token, { world, byKey, ids, now }));
  const entering = sampleBrowsers.map(([hoursAgo, userAgent, from]): Happening => {
    const happen = (): Promise<unknown> => enter(world, { 'User-Agent': userAgent, 'X-Forwarded-For': from });
    return { agoMs: hoursAgo * hour, happen };
  });
  for (const { agoMs, happen } of [...adding, ...using, ...entering].toSorted((a, b) => b.agoMs - a.agoMs)) {
    await clock.set(gateway, -agoMs);
    await happen();
  }
  await clock.set(gateway, 0);
  await command(gateway, ['user', 'disable', 'tomasz']);
  await usesAreWritten(gateway, key);
  return ids;
}

interface Past {
  readonly world: PortalWorld;
  readonly byKey: Ask;
  readonly ids: Map<string, string>;
  readonly now: number;
}

/** Made, used, at last shut off: lena does it herself, for others a key does. */
function happeningsOf(token: SampleToken, { world, byKey, ids, now }: Past): readonly Happening[] {
  const { name, owner, scopes, madeDaysAgo, endsInDays, slidingDays, usedHoursAgo, shut } = token;
  let value = '';
  const asOwner = async (): Promise<Ask> => {
    if (owner !== 'lena') return byKey;
    const browser = await enter(world, { 'X-Forwarded-For': home });
    return askAs((path, init) => browser.fetch(path, init), { 'X-CSRF-Token': await browser.csrf() });
  };
  const make = async (): Promise<void> => {
    const ask = await asOwner();
    const made = (await ask('/tokens', {
      ...{ name, scopes, owner: ids.get(owner) },
      ...(endsInDays === undefined ? {} : { expiresAt: new Date(now + endsInDays * day).toISOString() }),
      ...(slidingDays === undefined ? {} : { slidingSeconds: (slidingDays * day) / 1_000 }),
    })) as { readonly token: { readonly id: string }; readonly value: string };
    ids.set(name, made.token.id);
    ({ value } = made);
  };
  const shutOff = async (): Promise<void> => {
    const [ask, id] = [await asOwner(), ids.get(name) ?? ''];
    if (shut === 'disable') await ask(`/tokens/${id}/disable`, {});
    else await ask('/tokens/revoke', { ids: [id], why: 'Left in a train' });
  };
  return [
    { agoMs: madeDaysAgo * day, happen: make },
    ...(usedHoursAgo === undefined
      ? []
      : [{ agoMs: usedHoursAgo * hour, happen: () => use(world.gateway, token, value) }]),
    ...(shut === undefined ? [] : [{ agoMs: 9 * day, happen: shutOff }]),
  ];
}

async function use({ url }: Gateway, token: SampleToken, value: string): Promise<void> {
  const [scope = ''] = token.scopes;
  const folder = scope.startsWith('path:') ? scope.slice(5, scope.lastIndexOf(':')) : null;
  const answer = await fetch(url + (folder ?? (scope === '*' ? '/dav/' : '/cal/')), {
    method: 'PROPFIND',
    headers: {
      ...{ Depth: '0', 'User-Agent': token.client ?? '', 'X-Forwarded-For': token.from ?? home },
      Authorization: `Basic ${btoa(`${token.owner}:${value}`)}`,
    },
  });
  assert.notEqual(answer.status, 401, `${token.name} is used`);
  await answer.arrayBuffer();
}

async function enter(world: PortalWorld, headers: Readonly<Record<string, string>>): Promise<PlainBrowser> {
  const browser = world.browser();
  const fields = { username: 'lena', password: personPassword };
  const page = await browser.post('/.latchkey/sign-in', fields, headers);
  assert.equal(page.status, 200, await page.text());
  return browser;
}

function askAs(
  send: (path: string, init: RequestInit) => Promise<Response>,
  headers: Readonly<Record<string, string>>,
): Ask {
  return async (path, data) => {
    const answer = await send(`/.latchkey/api/v1${path}`, {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json', 'X-Forwarded-For': home },
      body: JSON.stringify(data),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${path}: ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  };
}

async function command(gateway: Gateway, args: readonly string[], input?: string): Promise<string> {
  const done = await gateway.command(args, input);
  assert.equal(done.code, 0, done.stderr);
  return done.stdout;
}

/** Uses are written behind. */
async function usesAreWritten({ url }: Gateway, key: string): Promise<void> {
  const used = sampleTokens.filter(({ usedHoursAgo }) => usedHoursAgo !== undefined).length;
  const written = async (): Promise<boolean> => {
    const answer = await fetch(`${url}/.latchkey/api/v1/tokens?limit=100`, {
      headers: { Authorization: `Bearer ${key}` },
    });
    const { items } = (await answer.json()) as { readonly items: readonly { readonly lastUse: unknown }[] };
    return items.filter(({ lastUse }) => lastUse !== null).length >= used;
  };
  await eventually('the uses to be written', written, { withinMs: 30_000, everyMs: 200 });
}
