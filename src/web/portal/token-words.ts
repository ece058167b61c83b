import type { ShownToken } from '../../management/tokens.ts';
import { clientName } from './client-names.ts';
import type { Frame } from './frame.ts';
import { html, type Markup } from './markup.ts';
import { dayMs } from './moments.ts';

/** A token that ends within this time is warned of. */
export const endsSoonMs: number = 7 * dayMs;

type Tone = 'good' | 'warn' | 'bad' | 'note' | 'quiet';

/** The state of a token in a word, with a colour that only repeats it. */
export function stateBadge({ texts }: Frame, token: Pick<ShownToken, 'state'>): Markup {
  const tones: Readonly<Record<ShownToken['state'], Tone>> = {
    active: 'good',
    disabled: 'quiet',
    expired: 'bad',
    'not yet valid': 'note',
    revoked: 'bad',
    'user disabled': 'quiet',
  };
  return html`<span class="badge ${tones[token.state]}">${texts.tokens.state[token.state]}</span>`;
}

/** When a token ends, told the more loudly the sooner; exact when pointed at. */
export function expiryBadge(frame: Frame, token: Pick<ShownToken, 'expiresAt' | 'slidingMs'>): Markup {
  const { texts, moments, now } = frame;
  const { expiresAt, slidingMs } = token;
  if (expiresAt === null) return html`<span class="soft">${texts.tokens.noEnd}</span>`;
  const tone = expiresAt <= now ? 'badge bad' : expiresAt - now <= endsSoonMs ? 'badge warn' : '';
  const iso = new Date(expiresAt).toISOString();
  return html`<time class="${tone}" datetime="${iso}" title="${moments.exact(expiresAt)}">${moments.relative(expiresAt, now)}</time>${
    slidingMs !== null && html`<span class="sub">${texts.tokens.slides(moments.span(slidingMs))}</span>`
  }`;
}

type LastUse = Pick<ShownToken, 'lastUsedAt' | 'lastUsedClient' | 'lastUsedAddress'>;

/** When a token was last used, by what program, and from where. */
export function lastUse(frame: Frame, token: LastUse): Markup {
  const { texts, moments, now } = frame;
  if (token.lastUsedAt === null) return html`<span class="soft">${texts.tokens.neverUsed}</span>`;
  const origin = useOrigin(frame, token);
  return html`${moments.relativeTag(token.lastUsedAt, now)}${
    origin !== null &&
    html`<span class="sub"${token.lastUsedClient !== null && html` title="${token.lastUsedClient}"`}>${origin}</span>`
  }`;
}

/** "rclone from 192.0.2.7", as far as known; null where nothing is. */
export function useOrigin({ texts }: Frame, token: LastUse): string | null {
  const { lastUsedClient: client, lastUsedAddress: address } = token;
  if (client === null) return address === null ? null : texts.tokens.from(address);
  const name = clientName(client);
  return address === null ? name : texts.tokens.usedFrom(name, address);
}
