import { isIP } from 'node:net';

/**
 * The part of a client's address that one client cannot change: the whole of an IPv4 address, the first 64 bits
 * of an IPv6 address, of which everybody is given at least that many. What is no address stands for itself.
 */
export function clientPrefix(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.toLowerCase().split('%', 1)[0]?.split('::', 2) ?? [];
  const groups = groupsOf(head);
  if (tail !== undefined) {
    const after = groupsOf(tail);
    while (groups.length + after.length < 8) groups.push('0');
    groups.push(...after);
  }
  const network = groups.slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(':')}::/64`;
}

/** The last 32 bits may be written as an IPv4 address, which then counts as two groups beyond the network. */
function groupsOf(text: string): string[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => (group.includes('.') ? ['0', '0'] : [group]));
}
