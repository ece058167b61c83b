import { type CanonicalPath, isBelowFolder } from '../core/path.ts';

/**
 * True where a request inside a chunked-upload folder is a step of an upload: making the session folder,
 * putting a chunk, moving the assembled file to its Destination, dropping the session, or listing which
 * chunks arrived (resuming clients ask; it shows sizes of what the same destination will hold).
 * The folder itself, other methods and other depths are no steps. Sessions are told apart by their name
 * alone, which cannot be listed here.
 */
export function isUploadStep(
  method: string,
  folder: CanonicalPath,
  path: CanonicalPath,
  depth: string | null,
): boolean {
  if (!isBelowFolder(folder, path)) return false;
  const inside = path.slice(folder.length).replace(/\/$/, '');
  const isSession = !inside.includes('/');
  const isChunk = inside.split('/').length === 2;
  switch (method) {
    case 'MKCOL':
      return isSession;
    case 'PUT':
    case 'MOVE':
      return isChunk;
    case 'DELETE':
      return isSession || isChunk;
    case 'PROPFIND':
      return isSession && (depth === '0' || depth === '1');
    default:
      return false;
  }
}
