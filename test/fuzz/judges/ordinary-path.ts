import assert from 'node:assert/strict';

/**
 * Asserts that a raw path and the canonical path read from it mean the same to every reader: Node's URL keeps
 * the bytes; however often it is decoded, normalised, or freed of path parameters, no segment appears,
 * vanishes, or climbs.
 */
export function assertOrdinary(raw: string, path: string): void {
  const segments = raw.split('/');
  // What WHATWG escapes anew within a path; the rest it leaves alone unless it resolves something.
  const escaped = raw.replace(/["<>`{}^]/g, encodeURIComponent);
  assert.equal(new URL(`http://h${raw}`).pathname, escaped, 'a URL parser leaves the path alone');
  assert.equal(decodeURIComponent(raw), path, 'it is the raw path decoded once');
  const once = decodeLoosely(raw);
  const readings = [path, once, decodeLoosely(path), decodeLoosely(once), decodeLoosely(decodeLoosely(once))];
  for (const reading of [...readings, ...readings.map((one) => one.normalize('NFKC'))]) {
    const seen = reading.split('/');
    assert.equal(seen.length, segments.length, 'every reader sees as many segments');
    for (const [at, segment] of seen.entries()) {
      assert.doesNotMatch(segment, /^\.\.?(?:;|$)|[\\\0]/, 'no segment climbs or ends early');
      const isEdge = at === 0 || at === seen.length - 1;
      assert.ok(isEdge || segment.replace(/;.*$/, '') !== '', 'no segment is empty');
    }
  }
}

/** Decodes every escape it can, byte by byte, as readers do that know nothing of UTF-8. */
function decodeLoosely(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
