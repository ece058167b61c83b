import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientName } from '../../../../src/web/portal/client-names.ts';
import { createMoments } from '../../../../src/web/portal/moments.ts';
import { de } from '../../../../src/web/portal/texts/de.ts';
import { en } from '../../../../src/web/portal/texts/en.ts';

const dayMs = 86_400_000;

test('programs are called as people call them', () => {
  const names: Readonly<Record<string, string>> = {
    'rclone/v1.60.1-DEV': 'rclone',
    'Microsoft-WebDAV-MiniRedir/10.0.19045': 'Windows',
    'WebDAVFS/3.0.0 (03008000) Darwin/23.0.0 (arm64)': 'macOS Finder',
    'gvfs/1.50.3': 'GNOME',
    'Mozilla/5.0 (Android) Nextcloud-android/3.30.0': 'Nextcloud (Android)',
    'DAVx5/4.4.1-ose (dav4jvm; okhttp/4.12.0) Android/14': 'DAVx⁵',
    'Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0': 'Firefox · Linux',
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1':
      'Safari · iPhone',
    'my-script/2 (alice)': 'my-script',
  };
  for (const [userAgent, name] of Object.entries(names)) assert.equal(clientName(userAgent), name);
});

test('moments are told as distances, rounded to the unit that matters', () => {
  const moments = createMoments('en');
  const distances: readonly (readonly [number, string])[] = [
    [0, 'now'],
    [-90_000, '1 minute ago'],
    [-dayMs, 'yesterday'],
    [3 * dayMs - 1_000, 'in 3 days'],
    [90 * dayMs, 'in 3 months'],
    [-800 * dayMs, '2 years ago'],
  ];
  for (const [distance, words] of distances) assert.equal(moments.relative(distance, 0), words);
  assert.equal(createMoments('de').relative(2 * dayMs, 0), 'übermorgen');
});

test('spans are told in the largest unit that divides them', () => {
  const moments = createMoments('en');
  assert.deepEqual(
    [30 * dayMs, 36 * 3_600_000, 90_000, 500].map((ms) => moments.span(ms)),
    ['30 days', '36 hours', '2 minutes', '1 minute'],
  );
});

test('no text is empty, and none stands in English in the German catalogue', () => {
  const same: string[] = [];
  const compare = (a: unknown, b: unknown, path: string): void => {
    if (typeof a === 'string' && typeof b === 'string') {
      assert.ok(a.trim() !== '' && b.trim() !== '', path);
      if (a === b && / /.test(a)) same.push(`${path}: ${a}`);
    } else if (typeof a === 'object' && a !== null && typeof b === 'object' && b !== null) {
      assert.deepEqual(Object.keys(b).toSorted(), Object.keys(a).toSorted(), path);
      for (const key of Object.keys(a)) {
        compare((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], `${path}.${key}`);
      }
    }
  };
  compare(en, de, '');
  assert.deepEqual(same, ['.guides.finder.title: macOS Finder', '.guides.davx5.title: DAVx⁵ (Android)']);
});
