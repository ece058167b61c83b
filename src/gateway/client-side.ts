import { BlockList, isIP, SocketAddress } from 'node:net';

/** What the front of us says about the client. */
export interface ClientSide {
  /** The client's own address in one spelling, or 'unknown' where a trusted proxy would not tell. */
  readonly address: string;
  /** The chain for the backend, the client first: nothing that only the client itself said. */
  readonly forwardedFor: string;
  readonly scheme: 'http' | 'https';
  /** Null: the Host header counts. */
  readonly host: string | null;
}

/** The X-Forwarded-* fields as received, null where absent. */
export interface ForwardedFields {
  readonly for: string | null;
  readonly proto: string | null;
  readonly host: string | null;
}

/** Tells the client apart from the proxies in front of us. */
export interface ClientSideReader {
  /** Whether what this peer forwards is believed. */
  trusts(peerAddress: string): boolean;
  read(peerAddress: string, tls: boolean, fields: ForwardedFields): ClientSide;
}

/** Shortens IPv4-mapped IPv6 addresses to IPv4, so that one client has one spelling. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/** Stands for a client that its proxy does not name: within no network. */
const unknown = 'unknown';

/**
 * Believes X-Forwarded-* only where the peer lies in `trustedProxies` (CIDR blocks or addresses),
 * and then walks X-Forwarded-For from the right to the first address that is not trusted. What lies
 * left of it is hearsay and goes nowhere.
 */
export function createClientSideReader(trustedProxies: readonly string[]): ClientSideReader {
  const trusted = new BlockList();
  const trustsUnix = trustedProxies.includes('unix:');
  for (const block of trustedProxies.filter((each) => each !== 'unix:')) {
    const [address = '', bits] = block.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const nobody = trustedProxies.length === 0;
  const trusts = (address: string): boolean => {
    if (nobody) return false;
    if (address === 'unix:') return trustsUnix;
    const version = isIP(address);
    return version !== 0 && trusted.check(address, version === 6 ? 'ipv6' : 'ipv4');
  };
  return {
    trusts,
    read(peerAddress, tls, fields) {
      const scheme = tls ? 'https' : 'http';
      if (!trusts(peerAddress)) {
        return { address: peerAddress, forwardedFor: peerAddress, scheme, host: null };
      }
      const chain = [peerAddress];
      const hops = (fields.for ?? '').split(',').filter((hop) => hop.trim() !== '');
      for (let hop = hops.pop(); hop !== undefined && trusts(chain[0] as string); hop = hops.pop()) {
        chain.unshift(hopAddress(hop));
      }
      const proto = fields.proto?.toLowerCase();
      return {
        address: chain[0] as string,
        forwardedFor: chain.join(', '),
        scheme: proto === 'https' || proto === 'http' ? proto : scheme,
        host: fields.host,
      };
    },
  };
}

/** The address of one X-Forwarded-For entry, which some proxies write with a port. */
function hopAddress(text: string): string {
  const hop = text.trim();
  const [, bracketed, dotted] = /^(?:\[([^\]]*)\]|([\d.]+))(?::\d{1,5})?$/.exec(hop) ?? [];
  const address = bracketed ?? dotted ?? hop;
  const version = isIP(address);
  if (version !== 6) return version === 4 ? address : unknown;
  return plainAddress(new SocketAddress({ address, family: 'ipv6' }).address);
}
