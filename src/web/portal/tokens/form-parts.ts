import type { ShownToken } from '../../../management/tokens.ts';
import type { TokenPolicy } from '../../../tokens/policy.ts';
import { choice, describedBy, type FieldError, fieldError, selectField, textField } from '../fields.ts';
import type { Frame } from '../frame.ts';
import { toDateField } from '../local-dates.ts';
import { html, type Markup, type Piece } from '../markup.ts';
import { dayMs } from '../moments.ts';
import { scopeInWords } from '../scope-words.ts';
import { type ChosenScope, type ExpiryDraft, presetDays, scopeText, type TokenDraft } from './draft.ts';

/** What the parts of the form are drawn from. */
export interface FormParts {
  readonly draft: TokenDraft;
  readonly policy: TokenPolicy;
  readonly errors: readonly FieldError[];
  /** The token whose end can stay as it is; null for a new one. */
  readonly current: Pick<ShownToken, 'expiresAt' | 'slidingMs'> | null;
  /** Default true: the end may move with use. */
  readonly maySlide?: boolean;
}

/** Until when the token counts. */
export function expiryPart(
  frame: Frame,
  parts: Omit<FormParts, 'draft'> & { readonly draft: ExpiryDraft },
): Markup {
  const { draft, policy, errors, current, maySlide = true } = parts;
  const { texts, moments, now } = frame;
  const words = texts.tokenForm;
  const { lifeMsMax } = policy;
  const fits = presetDays.filter((days) => lifeMsMax === null || days * dayMs <= lifeMsMax);
  const showsLongest = lifeMsMax !== null && !fits.some((days) => days * dayMs === lifeMsMax);
  const pick = (value: string, label: string, hint?: string): Markup =>
    choice({ name: 'expiry', id: `expiry-${value}`, value, label, hint, isChosen: draft.expiry === value });
  const latest = lifeMsMax === null ? undefined : toDateField(now + lifeMsMax);
  return html`<fieldset class="field"${describedBy('expiry-date', false, errors)}>
<legend>${words.expiry}</legend>
${lifeMsMax !== null && html`<p class="hint">${words.policyLimit(moments.span(lifeMsMax))}</p>`}
${fieldError('expiry-date', errors)}
<div class="choices across">
${current !== null && pick('keep', words.keepExpiry, currentEnd(frame, current))}
${fits.map((days) => pick(String(days), days === 365 ? words.year : words.days(days)))}
${showsLongest && lifeMsMax !== null && pick('longest', words.longest(moments.span(lifeMsMax)))}
</div>
<div class="choices">
${pick('date', words.onDate)}
<div class="choice-more">${textField({ name: 'date', label: words.date, value: draft.date, type: 'date', min: toDateField(now), ...(latest === undefined ? {} : { max: latest }) }, errors)}</div>
${maySlide && html`${pick('sliding', words.sliding, words.slidingHint)}${slidingDays(frame, draft, policy, errors)}`}
${lifeMsMax === null && !policy.expiryRequired && pick('never', words.never, words.neverHint)}
</div>
</fieldset>`;
}

function slidingDays(
  frame: Frame,
  draft: ExpiryDraft,
  { lifeMsMax }: TokenPolicy,
  errors: readonly FieldError[],
): Markup {
  const { texts, moments } = frame;
  const words = texts.tokenForm;
  const hint = lifeMsMax === null ? {} : { hint: words.untilRequired(moments.span(lifeMsMax)) };
  const field = {
    name: 'slidingDays',
    label: words.slidingDays,
    value: draft.slidingDays,
    inputMode: 'numeric',
  };
  return html`<div class="choice-more">${textField({ ...field, ...hint }, errors)}</div>`;
}

/** What the token may reach. */
export function accessPart(frame: Frame, { draft, policy, errors }: FormParts): Markup {
  const words = frame.texts.tokenForm;
  const isFree = policy.scopes === null;
  const pick = (value: string, label: string, hint?: string): Markup =>
    choice({ name: 'access', id: `access-${value}`, value, label, hint, isChosen: draft.access === value });
  return html`<fieldset class="field"${describedBy('access-folders', false, errors)}>
<legend>${words.access}</legend>
${fieldError('access-folders', errors)}
<div class="choices">
${pick('everything', isFree ? words.everything : words.allowed, isFree ? words.everythingHint : undefined)}
${pick('read', words.readOnly, words.readOnlyHint)}
${pick('folders', words.folders, words.foldersHint)}
<div class="choice-more">${folderLines(frame, draft.scopes)}
<div><button class="button" name="step" value="browse">${words.browse}</button></div>
${textField({ name: 'folderPath', label: words.folderPath, hint: words.folderPathHint, value: draft.folderPath, isCode: true }, errors)}
<div class="inline">${accessMenu(frame, 'folderAccess', words.folderAccess, draft.folderAccess)}<button class="button" name="step" value="add">${words.addFolder}</button></div>
</div>
</div>
</fieldset>`;
}

/** Limits that few need, folded away unless one is set. */
export function advancedPart(frame: Frame, { draft, errors }: FormParts): Markup {
  const words = frame.texts.tokenForm;
  const fields = ['networks', 'notBefore', 'deleteUnusedDays'];
  const isOpen =
    draft.networks !== '' ||
    draft.notBefore !== '' ||
    draft.deleteUnusedDays !== '' ||
    errors.some(({ field }) => fields.includes(field));
  return html`<details class="more"${isOpen && html` open`}>
<summary>${words.advanced}</summary>
<div class="stack">
<div class="field"><label for="networks">${words.networks}</label><p class="hint" id="networks-hint">${words.networksHint}</p>
<textarea id="networks" name="networks" rows="3" spellcheck="false" autocapitalize="none"${describedBy('networks', true, errors)}>${draft.networks}</textarea>${fieldError('networks', errors)}</div>
<div class="pair">
${textField({ name: 'notBefore', label: words.notBefore, hint: words.notBeforeHint, value: draft.notBefore, type: 'date' }, errors)}
${textField({ name: 'deleteUnusedDays', label: words.deleteUnused, hint: words.deleteUnusedHint, value: draft.deleteUnusedDays, inputMode: 'numeric' }, errors)}
</div>
</div>
</details>`;
}

function folderLines(frame: Frame, scopes: readonly ChosenScope[]): Piece {
  const words = frame.texts.tokenForm;
  if (scopes.length === 0) return html`<p class="hint">${words.noFolders}</p>`;
  return html`<ul class="folders" aria-label="${words.chosenFolders}">${scopes.map((chosen, at) => {
    const label = chosen.kind === 'folder' ? chosen.path : scopeInWords(frame, chosen.text);
    return html`<li><span class="mono">${label}</span><input type="hidden" name="scope" value="${scopeText(chosen)}">${
      chosen.kind === 'folder'
        ? accessSelect(frame, 'scopeAccess', chosen.access, words.accessOf(chosen.path))
        : html`<input type="hidden" name="scopeAccess" value="">`
    }<button class="button compact" name="step" value="remove:${at}" aria-label="${words.removeNamed(label)}">${words.remove}</button></li>`;
  })}</ul>`;
}

function accessOptions({ texts }: Frame, access: string): readonly (readonly [string, string])[] {
  const { scope } = texts.tokens;
  const usual = [['r', scope.read] as const, ['rw', scope.both] as const];
  return access === 'w' ? [...usual, ['w', scope.write] as const] : usual;
}

function accessMenu(frame: Frame, name: string, label: string, access: string): Markup {
  return selectField({ name, label, value: access, options: accessOptions(frame, access) });
}

function accessSelect(frame: Frame, name: string, access: string, label: string): Markup {
  return html`<select name="${name}" aria-label="${label}">${accessOptions(frame, access).map(
    ([value, text]) => html`<option value="${value}"${value === access && html` selected`}>${text}</option>`,
  )}</select>`;
}

function currentEnd(
  { texts, moments }: Frame,
  { expiresAt, slidingMs }: NonNullable<FormParts['current']>,
): string {
  if (slidingMs !== null) return texts.tokens.slides(moments.span(slidingMs));
  return expiresAt === null ? texts.tokens.noEnd : moments.exact(expiresAt);
}
