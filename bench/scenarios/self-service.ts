import { plainPrefix, securePrefix } from '../../src/core/own-cookies.ts';
import { makeScratch } from '../../test/support/scratch.ts';
import { type GatewayFiles, startGateway, writeConfig } from '../gateway.ts';
import { readConfig } from '../seed.ts';
import { type SeededPeople, seedPeople } from '../seed-people.ts';
import { peopleInStore, storeTokens, tokensOfOne } from '../sizes.ts';
import { atMost, type Row } from '../table.ts';

/** Answers of each kind, one after the other. */
const answers = 100;
/** Until code and pages of the store are warm. */
const warmUp = 10;
const budgets = { list: 100, search: 200, create: 150 } as const;

/** One request, `at` being how many came before it; resolves when its whole answer has come. */
type Ask = (at: number) => Promise<void>;

/** How long pages and API take to answer in a store of many: the time until the last byte, by one client. */
export async function selfService(): Promise<readonly Row[]> {
  const scratch = await makeScratch('bench-self-service');
  try {
    const files = await writeConfig(scratch, 'self-service', 9);
    const people = await seedPeople(readConfig(files.configFile));
    const gateway = await startGateway(scratch, files);
    try {
      return await measureAll(files, people);
    } finally {
      await gateway.stop();
    }
  } finally {
    await scratch.remove();
  }
}

async function measureAll(files: GatewayFiles, people: SeededPeople): Promise<readonly Row[]> {
  const kinds = kindsOf(files, people);
  const rows: Row[] = [];
  const store = `${peopleInStore.toLocaleString('en')} users and ${storeTokens.toLocaleString('en')} tokens`;
  for (const [title, budget, ask] of kinds) {
    const times: number[] = [];
    for (let at = 0; at < warmUp + answers; at++) {
      const began = performance.now();
      await ask(at);
      if (at >= warmUp) times.push(performance.now() - began);
    }
    const sorted = times.toSorted((one, other) => one - other);
    const [median, p95] = [0.5, 0.95].map((share) => sorted[Math.floor(share * sorted.length)] ?? 0);
    rows.push({
      ...atMost(`${title}, ${store}: p95`, p95 ?? 0, budget, ' ms'),
      figure: `${p95?.toFixed(1)} ms (median ${median?.toFixed(1)})`,
    });
  }
  return rows;
}

function kindsOf(
  { port }: GatewayFiles,
  { ownerSession, ownerId, adminSession, key }: SeededPeople,
): readonly (readonly [title: string, budgetMs: number, ask: Ask])[] {
  const origin = `http://127.0.0.1:${port}/.latchkey`;
  const get =
    (secret: string, path: (at: number) => string): Ask =>
    (at) =>
      fetchWhole(`${origin}${path(at)}`, { headers: { Cookie: sessionCookie(secret) } }, 200);
  const text = (at: number): string => encodeURIComponent(texts[at % texts.length] ?? '');
  const orders = ['used', 'name', 'expires', 'created'];
  const inOrder = (at: number): string => `order=${orders[at % orders.length]}`;
  return [
    [`page of my ${tokensOfOne.toLocaleString('en')} tokens`, budgets.list, get(ownerSession, () => '/')],
    ['the same, sorted', budgets.list, get(ownerSession, (at) => `/?${inOrder(at)}`)],
    ['admin page: search users', budgets.search, get(adminSession, (at) => `/admin/users?q=${text(at)}`)],
    ['admin page: everybody’s tokens', budgets.search, get(adminSession, () => '/admin/tokens')],
    [
      'admin page: the same, sorted',
      budgets.search,
      get(adminSession, (at) => `/admin/tokens?${inOrder(at)}`),
    ],
    [
      'admin page: search tokens',
      budgets.search,
      get(adminSession, (at) => `/admin/tokens?q=${tokenText(at)}`),
    ],
    ['API: make a token', budgets.create, makeToken(origin, ownerId, key)],
  ];
}

/** Frequent, rare, beyond ASCII, by mail, of nobody. */
const texts = [
  'anna',
  '77777',
  'günther.4',
  'HUBER.123',
  'ines.engel.94',
  '@example.org',
  'nobody at all',
  'e',
];

/** Frequent, one client, one token, none. */
function tokenText(at: number): string {
  return encodeURIComponent(
    ['Laptop', 'rclone', `Phone ${(at * 7_919) % storeTokens}`, 'none of these'][at % 4] ?? '',
  );
}

function makeToken(origin: string, owner: string, key: string): Ask {
  return (at) => {
    const headers = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
    const body = JSON.stringify({ owner, name: `made ${at}`, scopes: ['path:/dav/files/{user}/:rw'] });
    return fetchWhole(`${origin}/api/v1/tokens`, { method: 'POST', headers, body }, 201);
  };
}

function sessionCookie(secret: string): string {
  return `${securePrefix}=${secret}; ${plainPrefix}session=${secret}`;
}

async function fetchWhole(url: string, init: RequestInit, status: number): Promise<void> {
  const answer = await fetch(url, { ...init, redirect: 'manual' });
  const body = await answer.text();
  if (answer.status !== status) throw new Error(`${url}: ${answer.status} instead of ${status}\n${body}`);
}
