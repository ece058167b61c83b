/** The Destination field. */
import assert from 'node:assert/strict';
import { parseDestination } from '../../src/gateway/destination.ts';
import { assertOrdinary } from './judges/ordinary-path.ts';

export const subjects: readonly string[] = ['gateway/destination.ts', 'gateway/own-url.ts'];

export const words: readonly string[] = [
  'gw.example',
  'http://',
  'https://',
  ':80',
  ':443',
  ':8080',
  '@',
  '//',
  '\\',
  ', /',
  '?',
  '#',
];

const hosts = ['gw.example', 'gw.example:8080', 'gw.example:80', '[2001:db8::1]:443'];

/**
 * What is accepted on a host is a URL on that host for Node too, without user, query and fragment; its path is
 * ordinary, stands in the field byte for byte, and means the same when it is moved to the backend.
 */
export function fuzz(input: Buffer): void {
  const field = input.toString('latin1');
  for (const host of hosts) {
    const found = parseDestination(field, host);
    if (found === null) continue;
    assert.ok(field.endsWith(found.rawPath));
    assert.doesNotMatch(found.rawPath, /,(?:\/|https?:)/i, 'one value');
    assertOrdinary(found.rawPath, found.path);
    const before = field.slice(0, field.length - found.rawPath.length);
    assert.match(before, /^(?:https?:\/\/[^/?#@\\\s]+)?$/i);
    const scheme = /^https:/i.test(field) ? 'https' : 'http';
    const own = new URL(`${scheme}://${host}`);
    const url = new URL(field, own);
    assert.deepEqual(
      [url.host, url.username, url.password, url.search, url.hash],
      [own.host, '', '', '', ''],
    );
    const moved = parseDestination(`http://backend.example:81${found.rawPath}`, 'backend.example:81');
    assert.deepEqual(moved, found, 'the backend reads the same path');
  }
}
