import { parseScope, formatScope } from '../../../core/scope.ts';
import type { Refused } from '../../../management/refused.ts';
import type { TokenPolicy } from '../../../tokens/policy.ts';
import type { TokenSettings } from '../../../tokens/token-settings.ts';
import type { FieldError } from '../fields.ts';
import type { Frame } from '../frame.ts';
import { readLocalDate } from '../local-dates.ts';
import { dayMs } from '../moments.ts';
import { readEverything } from '../scope-words.ts';
import { type ExpiryDraft, scopeText, type TokenDraft } from './draft.ts';

const daysMax = 3_650;
const nameCharsMax = 120;

/** A draft as settings, or everything that is wrong with it. */
export type SettledDraft =
  | { readonly settings: TokenSettings; readonly errors: readonly [] }
  | { readonly settings: null; readonly errors: readonly FieldError[] };

/** Checks what a person typed and turns it into settings; what only the lifecycle can judge is left to it. */
export function settleDraft(frame: Frame, draft: TokenDraft, policy: TokenPolicy): SettledDraft {
  const { errors: words } = frame.texts.tokenForm;
  const errors: FieldError[] = [];
  const wrong = (field: string, message: string): void => {
    errors.push({ field, message });
  };
  if (draft.name === '') wrong('name', words.name);
  else if (Array.from(draft.name).length > nameCharsMax) wrong('name', words.nameLong);
  const lifetime = settleLifetime(frame, draft, policy);
  if ('field' in lifetime) errors.push(lifetime);
  const scopes = toScopes(draft, policy);
  if (scopes.length === 0) wrong('access-folders', words.folders);
  const notBefore = draft.notBefore === '' ? null : readLocalDate(draft.notBefore, 'start');
  if (draft.notBefore !== '' && notBefore === null) wrong('notBefore', words.notBefore);
  const deleteDays = draft.deleteUnusedDays === '' ? null : readDays(draft.deleteUnusedDays);
  if (draft.deleteUnusedDays !== '' && deleteDays === null) wrong('deleteUnusedDays', words.deleteUnused);
  if (errors.length > 0 || 'field' in lifetime) return { settings: null, errors };
  const networks = draft.networks.split(/[\s,;]+/).filter((line) => line !== '');
  const deleteUnusedMs = deleteDays === null ? null : deleteDays * dayMs;
  return {
    settings: { name: draft.name, scopes, ...lifetime, networks, notBefore, deleteUnusedMs },
    errors: [],
  };
}

/** The end that a form chose, or what is wrong with it; nothing where the end stays. */
export function settleLifetime(
  frame: Frame,
  draft: ExpiryDraft,
  { lifeMsMax }: TokenPolicy,
): Pick<TokenSettings, 'expiresAt' | 'slidingMs' | 'until'> | FieldError {
  const { now, texts, moments } = frame;
  const { errors: words } = texts.tokenForm;
  const latest = lifeMsMax === null ? null : now + lifeMsMax;
  const fixed = (expiresAt: number | null) => ({ expiresAt, slidingMs: null, until: null });
  switch (draft.expiry) {
    case 'keep':
      return {};
    case 'never':
      return fixed(null);
    case 'longest':
      return fixed(latest);
    case 'sliding': {
      const days = readDays(draft.slidingDays);
      if (days === null) return { field: 'slidingDays', message: words.slidingDays };
      return { slidingMs: days * dayMs, until: latest };
    }
    case 'date': {
      const start = readLocalDate(draft.date, 'start');
      const end = readLocalDate(draft.date, 'end');
      if (start === null || end === null) return { field: 'date', message: words.date };
      if (end <= now) return { field: 'date', message: words.dateFuture };
      if (latest !== null && start > latest) {
        return { field: 'date', message: words.dateLimit(moments.day(latest)) };
      }
      // The last day allowed is rarely allowed to its end.
      return fixed(latest === null ? end : Math.min(end, latest));
    }
    default:
      return fixed(now + Number(draft.expiry) * dayMs);
  }
}

/** The field of the form that a refusal of the lifecycle is about. */
export function refusalError(frame: Frame, { code, detail }: Refused): FieldError | null {
  const fields: Readonly<Record<string, string>> = {
    bad_name: 'name',
    bad_scope: 'access-folders',
    bad_expiry: 'expiry-date',
    expired: 'expiry-date',
    bad_not_before: 'notBefore',
    bad_network: 'networks',
    bad_delete_unused: 'deleteUnusedDays',
    policy: 'access-folders',
  };
  const field = fields[code];
  return field === undefined ? null : { field, message: frame.texts.refusal(code, detail) };
}

/** What "everything" and "read only" come to under a policy that names what tokens may reach. */
function toScopes({ access, scopes }: TokenDraft, policy: TokenPolicy): readonly string[] {
  const allowed = policy.scopes;
  switch (access) {
    case 'everything':
      return allowed ?? ['*'];
    case 'read':
      return allowed === null ? [readEverything] : allowed.flatMap(readOnly);
    case 'folders':
      return scopes.map(scopeText);
    default:
      return access satisfies never;
  }
}

function readOnly(text: string): readonly string[] {
  const scope = parseScope(text);
  if (scope.kind === 'everything') return [readEverything];
  if (scope.kind === 'scope_problem' || !scope.access.read) return [];
  return [formatScope({ ...scope, access: { read: true, write: false } })];
}

function readDays(text: string): number | null {
  const days = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return days >= 1 && days <= daysMax ? days : null;
}
