import { isIP } from 'node:net';
import { type ClientSideReader, plainAddress } from '../gateway/client-side.ts';
import type { Abilities, Asked } from './ask.ts';

/** What the fields of a door say, not yet looked at. */
export interface ToldRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly scheme: string;
  /** X-Forwarded-For as the proxy wrote it, or one address. */
  readonly addresses: string;
  readonly own: readonly string[];
}

/** What proxies take off that copy a few fields from each answer, or by a line of their own, as the examples say. */
export const takenOff: ReadonlySet<string> = new Set(['authorization', 'cookie', 'referer']);

/** The request of a family whose fields are, in this order: method, target, host, scheme, addresses. */
export function toldInOrder(values: readonly (string | null)[], own: readonly string[]): ToldRequest {
  const at = values as readonly string[];
  return {
    method: at[0] as string,
    target: at[1] as string,
    host: at[2] as string,
    scheme: at[3] as string,
    addresses: at[4] as string,
    own,
  };
}

/** RFC 9110 section 9.1: a token; the proxy has read it, so that more cannot be right. */
const methodToken = /^[A-Za-z][A-Za-z-]{0,63}$/;

/**
 * The request as `ask` takes it, or a sentence on what is wrong. What is left of the proxy's own peer in the chain of
 * addresses is believed only as far as `trustedProxies` reaches.
 */
export function askedFrom(told: ToldRequest, clientSide: ClientSideReader, proxy: Abilities): Asked | string {
  const { method, target, host, scheme, own } = told;
  if (!methodToken.test(method)) return 'the method is no method';
  if (target.charCodeAt(0) !== slash) return 'the target does not start with a slash';
  if (scheme !== 'http' && scheme !== 'https') return 'the scheme is neither http nor https';
  const clientAddress = clientAddressFrom(told.addresses, clientSide);
  if (clientAddress === null) return 'the client address is no IP address';
  return { method, target, host, scheme, clientAddress, rawHeaders: own, proxy };
}

const slash = 0x2f;

function clientAddressFrom(addresses: string, clientSide: ClientSideReader): string | null {
  const comma = addresses.lastIndexOf(',');
  const last = plainAddress(comma === -1 ? addresses : addresses.slice(comma + 1).trim());
  if (isIP(last) === 0) return null;
  if (comma === -1) return last;
  return clientSide.read(last, false, { for: addresses.slice(0, comma), proto: null, host: null }).address;
}
