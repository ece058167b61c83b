import { pathFromText, pathToText } from '../../../core/path.ts';
import type { FieldError } from '../fields.ts';
import type { Frame } from '../frame.ts';
import { type TokenDraft, withFolder } from './draft.ts';

/** What the pressed button of the form asks for. */
export type FormStep =
  | { readonly kind: 'save' }
  /** The form again, with a folder more or less. */
  | { readonly kind: 'form'; readonly draft: TokenDraft; readonly errors: readonly FieldError[] }
  /** The folders within a folder (decoded), or the choice of places. */
  | { readonly kind: 'browse'; readonly path: string | null };

/**
 * Reads the button: `browse:PATH`, `choose:ACCESS:PATH`, `add`, `remove:N`, `back`. Anything else saves. Nothing but the
 * form changes by these.
 */
export function readStep(frame: Frame, step: string, draft: TokenDraft): FormStep {
  const [verb = '', ...rest] = step.split(':');
  switch (verb) {
    case 'browse': {
      const path = folderFromText(rest.join(':'));
      return { kind: 'browse', path };
    }
    case 'choose': {
      const [access = 'r', ...texts] = rest;
      const path = folderFromText(texts.join(':'));
      return path === null ? again(draft) : again(withFolderOf(draft, path, access === 'rw' ? 'rw' : 'r'));
    }
    case 'add':
      return addTyped(frame, draft);
    case 'remove': {
      const at = Number(rest[0]);
      return again({ ...draft, scopes: draft.scopes.filter((_, index) => index !== at) });
    }
    case 'back':
      return again(draft);
    default:
      return { kind: 'save' };
  }
}

/** The draft with the folder that was typed but not yet added: it was meant. */
export function withTypedFolder(frame: Frame, draft: TokenDraft): FormStep {
  if (draft.access !== 'folders' || draft.folderPath === '') return again(draft);
  return addTyped(frame, draft);
}

function addTyped(frame: Frame, draft: TokenDraft): FormStep {
  const path = folderFromText(draft.folderPath);
  if (path !== null) return again({ ...withFolderOf(draft, path, draft.folderAccess), folderPath: '' });
  const errors = [{ field: 'folderPath', message: frame.texts.tokenForm.errors.folderPath }];
  return { kind: 'form', draft: { ...draft, access: 'folders' }, errors };
}

function again(draft: TokenDraft): FormStep {
  return { kind: 'form', draft, errors: [] };
}

function withFolderOf(draft: TokenDraft, path: string, access: string): TokenDraft {
  const checked = pathFromText(path.replace(/[%#?]/g, encodeURIComponent));
  const text = typeof checked === 'string' ? pathToText(checked) : path;
  return { ...draft, access: 'folders', scopes: withFolder(draft.scopes, text, access) };
}

/** A folder as people type it or buttons carry it, decoded, with a slash at its end; null where it is none. */
function folderFromText(text: string): string | null {
  if (text === '') return null;
  const path = pathFromText(text);
  if (typeof path !== 'string') return null;
  return path.endsWith('/') ? path : `${path}/`;
}
