import type { Frame } from './frame.ts';
import { html, type Markup } from './markup.ts';

/** A value to be taken elsewhere: a field to select from, and a button that copies where scripts run. */
export interface CopyField {
  readonly id: string;
  readonly label: string;
  readonly value: string;
  readonly hint?: string;
  readonly isSecret?: boolean;
}

/** The result is told in a live region outside the button, so that it is read out and the focus stays. */
export function copyField({ texts }: Frame, { id, label, value, hint, isSecret = false }: CopyField): Markup {
  const { once: words } = texts;
  return html`<div class="field">
<label for="${id}">${label}</label>
${hint !== undefined && html`<p class="hint" id="${id}-hint">${hint}</p>`}
<div class="copyable${isSecret && ' secret'}">
<input id="${id}" value="${value}" readonly autocomplete="off" spellcheck="false"${hint !== undefined && html` aria-describedby="${id}-hint"`}>
<button type="button" class="button${isSecret && ' primary'}" hidden data-copy="${id}" data-result="${id}-result" data-copied="${words.copied(label)}" data-selected="${words.selected(label)}" aria-label="${words.copyNamed(label)}">${words.copy}</button>
</div>
<p class="hint" id="${id}-result" role="status"></p>
</div>`;
}
