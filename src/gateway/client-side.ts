import { BlockList, isIP } from 'node:net';

/** What the front of us says about the client. */
export interface ClientSide {
  readonly address: string;
  /** The chain for the backend, the client first. */
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
  read(peerAddress: string, tls: boolean, fields: ForwardedFields): ClientSide;
}

/** Shortens IPv4-mapped IPv6 addresses to IPv4, so that one client has one spelling. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

/**
 * Believes X-Forwarded-* only where the peer lies in `trustedProxies` (CIDR blocks or addresses),
 * and then walks X-Forwarded-For from the right to the first address that is not trusted.
 */
export function createClientSideReader(trustedProxies: readonly string[]): ClientSideReader {
  const trusted = new BlockList();
  for (const block of trustedProxies) {
    const [address = '', bits] = block.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const trusts = (address: string): boolean => {
    const version = isIP(address);
    return version !== 0 && trusted.check(address, version === 6 ? 'ipv6' : 'ipv4');
  };
  const nobody = trustedProxies.length === 0;
  return {
    read(peerAddress, tls, fields) {
      const scheme = tls ? 'https' : 'http';
      if (nobody || !trusts(peerAddress)) {
        return { address: peerAddress, forwardedFor: peerAddress, scheme, host: null };
      }
      const chain = fields.for === null ? [] : fields.for.split(',').map((hop) => hop.trim());
      let address = peerAddress;
      for (let at = chain.length - 1; at >= 0; at--) {
        const hop = chain[at] ?? '';
        // What is not an address ends the walk: the hop before it vouched for nothing.
        if (isIP(hop) === 0) break;
        address = plainAddress(hop);
        if (!trusts(address)) break;
      }
      const valid = chain.filter((hop) => isIP(hop) !== 0);
      return {
        address,
        forwardedFor: [...valid, peerAddress].join(', '),
        scheme: fields.proto === 'https' || fields.proto === 'http' ? fields.proto : scheme,
        host: fields.host,
      };
    },
  };
}
