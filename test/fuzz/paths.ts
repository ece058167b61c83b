/** Path canonicalisation: the raw path of a target. */
import assert from 'node:assert/strict';
import {
  canonicalPath,
  checkDecodedPath,
  isAncestor,
  isBelowFolder,
  isInFolder,
  isSameResource,
  pathFromText,
  pathToText,
} from '../../src/core/path.ts';
import { assertOrdinary } from './judges/ordinary-path.ts';

export const subjects: readonly string[] = ['core/path.ts'];

export const words: readonly string[] = [
  '%E2%80%A5',
  '%E2%80%A4',
  '%EF%BC%8F',
  '%EF%BC%85',
  '%E2%84%80',
  '..;x',
  '/%3B',
];

/**
 * Whatever is accepted has the same segments for every reader, however often it decodes or normalises; checks
 * as itself; reads back from its text form; and compares with itself and its neighbours as it should.
 */
export function fuzz(input: Buffer): void {
  const raw = input.toString('latin1');
  const path = canonicalPath(raw);
  if (typeof path !== 'string') {
    assert.ok(Object.isFrozen(path), 'a problem is one of a fixed set');
  } else {
    assertOrdinary(raw, path);
    assert.equal(canonicalPath(raw), path);
    assert.equal(checkDecodedPath(path), path, 'a decoded path checks as itself');
    assert.equal(pathFromText(pathToText(path)), path, 'a path reads back from its text');
    assert.equal(
      canonicalPath(encodeURI(path).replace(/[?#]/g, encodeURIComponent)),
      path,
      'encoded anew it is the same',
    );
    const folder = checkDecodedPath(path.endsWith('/') ? path : `${path}/`);
    assert.ok(typeof folder === 'string');
    assert.ok(isSameResource(path, folder) && isSameResource(folder, path) && isInFolder(folder, path));
    assert.ok(!isBelowFolder(folder, path) && !isAncestor(path, folder) && !isAncestor(folder, path));
    const below = checkDecodedPath(`${folder}x`);
    assert.ok(typeof below === 'string');
    assert.ok(isBelowFolder(folder, below) && isAncestor(path, below) && !isSameResource(folder, below));
  }
  const text = pathFromText(input.toString('utf8'));
  if (typeof text === 'string')
    assert.equal(pathFromText(pathToText(text)), text, 'what a person wrote reads back');
}
