import assert from 'node:assert/strict';
import { posix, win32 } from 'node:path';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type HostileRequest, requestByCase, requestByGrammar } from '../../support/hostile-requests.ts';
import { routeConfig } from '../../support/route-config.ts';
import { ask } from './authorize-fixture.ts';

/** How servers and libraries read a path: each may resolve, decode, cut or fold differently. */
const readings: Readonly<Record<string, (raw: string) => string>> = {
  "Node's URL": (raw) => decodeURIComponent(new URL(raw, 'http://gw.example').pathname),
  'URL, then decoded and joined': (raw) =>
    posix.normalize(decodeURIComponent(new URL(raw, 'http://h').pathname)),
  'decoded, then resolved': (raw) => posix.normalize(looselyDecoded(raw)),
  'decoded twice, then resolved': (raw) => posix.normalize(looselyDecoded(looselyDecoded(raw))),
  'resolved, then decoded': (raw) => looselyDecoded(posix.normalize(raw)),
  'without path parameters': (raw) => posix.normalize(looselyDecoded(raw.replace(/;[^/]*/g, ''))),
  'decoded, without path parameters': (raw) => posix.normalize(looselyDecoded(raw).replace(/;[^/]*/g, '')),
  'by the rules of Windows': (raw) =>
    win32
      .normalize(
        looselyDecoded(raw).replace(/[. ]+(?=[/\\]|$)/g, (end) => (/^\.{1,2}$/.test(end) ? end : '')),
      )
      .replaceAll('\\', '/'),
  'normalised (NFKC)': (raw) => posix.normalize(looselyDecoded(raw).normalize('NFKC')),
  'up to a NUL': (raw) => posix.normalize(looselyDecoded(raw).split('\0', 1)[0] ?? ''),
};

/** As CGI scripts decode: what is malformed stays. Bytes that are no UTF-8 become their Latin-1 letters. */
function looselyDecoded(text: string): string {
  const bytes = text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const utf8 = Buffer.from(bytes, 'latin1').toString('utf8');
  return utf8.includes('\ufffd') ? bytes : utf8;
}

/** The folders and files of path scopes, decoded; null where a token has others. */
function placesOf(scopes: readonly string[]): readonly string[] | null {
  const places = scopes.map((scope) => /^path:(.*):\w+$/.exec(scope)?.[1]);
  if (!places.every((place) => place !== undefined)) return null;
  return places.map((place) => decodeURIComponent(place).replace('{user}', 'alice').normalize('NFKC'));
}

function liesIn(places: readonly string[], path: string): boolean {
  return places.some((place) =>
    place.endsWith('/') ? `${path}/`.startsWith(place) : `${path}/`.startsWith(`${place}/`),
  );
}

const isProbe = ({ method, headers }: HostileRequest): boolean =>
  method === 'OPTIONS' || (method === 'PROPFIND' && headers['Depth'] === '0');

/** The paths that a request which is allowed goes for, as they are forwarded. */
async function pathsOf(request: HostileRequest): Promise<readonly string[]> {
  const answer = await ask({ ...request, routes: [routeConfig()] });
  if (answer.kind !== 'permit') return [];
  const target = request.target.replace(/^https?:\/\/[^/?]*/i, '').replace(/\?.*$/s, '');
  const related = [answer.destination, ...(answer.ifHeader?.tags ?? [])].filter((each) => each !== null);
  return [...(isProbe(request) ? [] : [target]), ...related.map(({ rawPath }) => rawPath)];
}

describe('whatever is allowed, no way of reading the path leads outside the scope', () => {
  const anySeed = Math.trunc(Math.random() * 0x7fff_ffff);
  for (const [what, requests] of [
    ['by grammar', requestByGrammar],
    ['changed from our cases', requestByCase],
  ] as const) {
    for (const seed of [20_261_121, anySeed]) {
      test(`requests ${what}, seed ${seed}`, async (t) => {
        let seen = 0;
        await fc.assert(
          fc.asyncProperty(requests, async (request) => {
            const places = placesOf(request.scopes);
            if (places === null) return;
            for (const raw of await pathsOf(request)) {
              seen++;
              for (const [reader, read] of Object.entries(readings)) {
                const path = read(raw).normalize('NFKC');
                assert.ok(liesIn(places, path), `${reader} reads ${raw} as ${path}`);
              }
            }
          }),
          { seed, numRuns: 8_000, plugins: [fc.interruptAfterTimeLimit(4_000)] },
        );
        t.diagnostic(`${seen} paths in ${Object.keys(readings).length} readings`);
        assert.ok(seen > 20);
      });
    }
  }
});
