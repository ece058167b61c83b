import assert from 'node:assert/strict';
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Change } from '../../core/change.ts';
import type { Realm, TokenId, UserId } from '../../core/ids.ts';
import type { Peppers } from '../../tokens/digest.ts';

/**
 * The keys that authenticate messages, in the order of the peppers they are derived from: the first
 * signs, every one is understood. At least one, at least 32 bytes each.
 */
export type MessageKeys = readonly [Uint8Array, ...Uint8Array[]];

/** One key per pepper, in their order, for the messages of one store. */
export function messageKeys(peppers: Peppers, realm: Realm): MessageKeys {
  const [first, ...rest] = peppers.ids.map((id) => {
    const key = peppers.derive('change messages', id, realm);
    assert(key !== null, 'a pepper knows its own id');
    return Buffer.from(key, 'base64url');
  });
  assert(first !== undefined, 'there is at least one pepper');
  return [first, ...rest];
}

/** What travels on the channel. */
export type Message =
  | { readonly kind: 'changes'; readonly changes: readonly Change[] }
  /** Sent and expected by one process; proves to it alone that its subscription lives. */
  | { readonly kind: 'beat'; readonly sender: string; readonly sequence: number };

/** What was received: a message, or why it is none. */
export type Received =
  | Message
  /** Not a message, or not from anyone whose key we know. */
  | { readonly kind: 'foreign' }
  /** Authentic and unreadable, as from a newer release. */
  | { readonly kind: 'unreadable' };

/** Writes and reads the messages of one realm. */
export interface MessageCodec {
  readonly channel: string;
  encode(message: Message): string;
  /** Never throws. */
  decode(text: string): Received;
}

/** Changes in one message at most: keeps it below {@link textMax}. */
export const changesMax = 500;

const textMax = 65_536;
const macLength = 43; // SHA-256 in base64url
const idPattern = /^[0-9A-Za-z_-]{1,64}$/;

/**
 * A message is `MAC.BODY`. The MAC is worth its 5 µs: whoever may publish could otherwise answer a gateway's
 * heartbeat in the place of a subscription that has died, and so hide a revocation, or name every token in
 * versions that never come and keep them out of all caches. Replaying real messages does neither: an old change
 * drops what is reloaded at once, an old beat is not the one expected. The realm is under the MAC too, so
 * that a message cannot be moved to another store's channel.
 */
export function messageCodec(realm: Realm, keys: MessageKeys): MessageCodec {
  const channel = `latchkey:changes:${realm}`;
  const mac = (key: Uint8Array, body: string): Buffer =>
    createHmac('sha256', key).update(`${channel.length}:${channel}${body}`).digest();

  return {
    channel,
    encode(message) {
      const body = JSON.stringify(wireForm(message));
      return `${mac(keys[0], body).toString('base64url')}.${body}`;
    },
    decode(text) {
      if (text.length > textMax || text[macLength] !== '.') {
        return { kind: 'foreign' };
      }
      const claimed = Buffer.from(text.slice(0, macLength), 'base64url');
      const body = text.slice(macLength + 1);
      const known = keys.some((key) => claimed.length === 32 && timingSafeEqual(mac(key, body), claimed));
      return known ? parseBody(body) : { kind: 'foreign' };
    },
  };
}

function wireForm(message: Message): unknown {
  if (message.kind === 'beat') {
    return { v: 1, beat: [message.sender, message.sequence] };
  }
  return {
    v: 1,
    changes: message.changes.map((change) =>
      change.kind === 'token' ? ['t', change.tokenId, change.version] : ['u', change.userId, change.version],
    ),
  };
}

function parseBody(body: string): Received {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return { kind: 'unreadable' };
  }
  if (typeof value !== 'object' || value === null || !('v' in value) || value.v !== 1) {
    return { kind: 'unreadable' };
  }
  const message =
    'beat' in value ? parseBeat(value.beat) : 'changes' in value ? parseChanges(value.changes) : null;
  return message ?? { kind: 'unreadable' };
}

function parseBeat(value: unknown): Message | null {
  if (!Array.isArray(value) || value.length !== 2) {
    return null;
  }
  const [sender, sequence] = value as readonly unknown[];
  return isId(sender) && isCount(sequence) ? { kind: 'beat', sender, sequence } : null;
}

function parseChanges(value: unknown): Message | null {
  if (!Array.isArray(value)) {
    return null;
  }
  const changes: Change[] = [];
  for (const item of value as readonly unknown[]) {
    const change = parseChange(item);
    if (change === null) {
      return null; // all or nothing: what is skipped here would be a change missed
    }
    changes.push(change);
  }
  return { kind: 'changes', changes };
}

function parseChange(value: unknown): Change | null {
  if (!Array.isArray(value) || value.length !== 3) {
    return null;
  }
  const [kind, id, version] = value as readonly unknown[];
  if (!isId(id) || !isCount(version)) {
    return null;
  }
  if (kind === 't') {
    return { kind: 'token', tokenId: id as TokenId, version };
  }
  return kind === 'u' ? { kind: 'user', userId: id as UserId, version } : null;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
