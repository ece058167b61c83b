import { pathFromText } from '../core/path.ts';
import { parseTemplate } from './field-names.ts';
import type { Parsed } from './quantities.ts';

/** A folder as people write it (core/path.ts, `pathFromText`): starts and ends with a slash; decoded. */
export function parseFolder(text: string): Parsed<string> {
  if (!text.endsWith('/')) return { wrong: 'must end with a slash: it names a folder and all below it' };
  return parsePlainPath(text);
}

/** A folder or file as people write it: starts with a slash, has no dot segments; decoded. */
export function parsePlainPath(text: string): Parsed<string> {
  const path = pathFromText(text);
  return typeof path === 'string' ? { value: path } : { wrong: `is not an acceptable path: ${path.detail}` };
}

/** A folder with {variables}, each standing for a whole segment or part of one; decoded around them. */
export function parseFolderTemplate(text: string, variables: readonly string[]): Parsed<string> {
  const template = parseTemplate(text, variables);
  if ('wrong' in template) return template;
  // Braces are no plain path characters, so private-use letters stand in while the rest is read.
  if (/[\uE000\uE001]/.test(text)) return { wrong: 'must not hold private-use characters' };
  const folder = parseFolder(text.replaceAll('{', '\uE000').replaceAll('}', '\uE001'));
  if ('wrong' in folder) return folder;
  return { value: folder.value.replaceAll('\uE000', '{').replaceAll('\uE001', '}') };
}
