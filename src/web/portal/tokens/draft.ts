import { pathToText } from '../../../core/path.ts';
import { parseScope } from '../../../core/scope.ts';
import type { ShownToken } from '../../../management/tokens.ts';
import type { TokenPolicy } from '../../../tokens/policy.ts';
import type { Form } from '../../forms.ts';
import { toDateField } from '../local-dates.ts';
import { dayMs } from '../moments.ts';
import { readEverything } from '../scope-words.ts';

/** How the end of a token is chosen. */
export type ExpiryChoice = 'keep' | `${number}` | 'longest' | 'date' | 'sliding' | 'never';
/** How its reach is chosen. */
export type AccessChoice = 'everything' | 'read' | 'folders';

/** One line of the chosen folders: a folder by its path, or a scope of another kind as it is. */
export type ChosenScope =
  | { readonly kind: 'folder'; readonly path: string; readonly access: string }
  | { readonly kind: 'other'; readonly text: string };

/** The form for a token as typed so far; nothing of it is checked. */
export interface TokenDraft {
  readonly name: string;
  readonly expiry: ExpiryChoice;
  readonly date: string;
  readonly slidingDays: string;
  readonly access: AccessChoice;
  readonly scopes: readonly ChosenScope[];
  readonly folderPath: string;
  readonly folderAccess: string;
  readonly networks: string;
  readonly notBefore: string;
  readonly deleteUnusedDays: string;
}

/** Days that can be chosen with one click. */
export const presetDays: readonly number[] = [7, 30, 90, 365];
const usualDays = 90;
const usualSlidingDays = '30';

/** The part of the form that says when a token ends. */
export type ExpiryDraft = Pick<TokenDraft, 'expiry' | 'date' | 'slidingDays'>;

/** An empty form: 90 days where the policy allows, else the longest it does. */
export function emptyDraft({ lifeMsMax }: TokenPolicy): TokenDraft {
  const isUsualAllowed = lifeMsMax === null || lifeMsMax >= usualDays * dayMs;
  return {
    name: '',
    expiry: isUsualAllowed ? `${usualDays}` : 'longest',
    ...{ date: '', slidingDays: usualSlidingDays },
    access: 'everything',
    scopes: [],
    ...{ folderPath: '', folderAccess: 'r', networks: '', notBefore: '', deleteUnusedDays: '' },
  };
}

/** The form filled with a token's settings; its end stays as it is unless another is chosen. */
export function draftOf(token: ShownToken): TokenDraft {
  const { scopes, slidingMs, deleteUnusedMs, notBefore } = token;
  const [only] = scopes;
  const isOne = scopes.length === 1;
  const access = isOne && only === '*' ? 'everything' : isOne && only === readEverything ? 'read' : 'folders';
  return {
    name: token.name,
    expiry: 'keep',
    date: token.expiresAt === null ? '' : toDateField(token.expiresAt - 1),
    slidingDays: slidingMs === null ? usualSlidingDays : inDays(slidingMs),
    access,
    scopes: access === 'folders' ? scopes.map(toChosen) : [],
    ...{ folderPath: '', folderAccess: 'r' },
    networks: token.networks.join('\n'),
    notBefore: notBefore === null ? '' : toDateField(notBefore),
    deleteUnusedDays: deleteUnusedMs === null ? '' : inDays(deleteUnusedMs),
  };
}

/** The form as it was sent. */
export function draftFrom(form: Form): TokenDraft {
  const expiry = form.text('expiry');
  const access = form.text('access');
  const accesses = form.all('scopeAccess');
  return {
    name: form.text('name').trim(),
    expiry: isExpiryChoice(expiry) ? expiry : 'keep',
    date: form.text('date').trim(),
    slidingDays: form.text('slidingDays').trim(),
    access: access === 'everything' || access === 'read' ? access : 'folders',
    scopes: form.all('scope').map((text, at) => {
      const chosen = toChosen(text);
      const chosenAccess = accesses[at] ?? '';
      return chosen.kind === 'folder' && isAccess(chosenAccess)
        ? { ...chosen, access: chosenAccess }
        : chosen;
    }),
    folderPath: form.text('folderPath').trim(),
    folderAccess: isAccess(form.text('folderAccess')) ? form.text('folderAccess') : 'r',
    networks: form.text('networks').replaceAll('\r\n', '\n'),
    notBefore: form.text('notBefore').trim(),
    deleteUnusedDays: form.text('deleteUnusedDays').trim(),
  };
}

/** The text of a chosen scope. */
export function scopeText(chosen: ChosenScope): string {
  return chosen.kind === 'folder' ? `path:${chosen.path}:${chosen.access}` : chosen.text;
}

/** The folders with one more; one that is there already gets the new access. */
export function withFolder(
  scopes: readonly ChosenScope[],
  path: string,
  access: string,
): readonly ChosenScope[] {
  const others = scopes.filter((chosen) => chosen.kind !== 'folder' || chosen.path !== path);
  return [...others, { kind: 'folder', path, access }];
}

function toChosen(text: string): ChosenScope {
  const scope = parseScope(text);
  if (scope.kind !== 'path') return { kind: 'other', text };
  const access = `${scope.access.read ? 'r' : ''}${scope.access.write ? 'w' : ''}`;
  return { kind: 'folder', path: pathToText(scope.path), access };
}

function inDays(ms: number): string {
  return String(Math.max(1, Math.round(ms / dayMs)));
}

function isAccess(text: string): boolean {
  return text === 'r' || text === 'rw' || text === 'w';
}

function isExpiryChoice(text: string): text is ExpiryChoice {
  return (
    ['keep', 'longest', 'date', 'sliding', 'never'].includes(text) || presetDays.map(String).includes(text)
  );
}
