import ipaddr from 'ipaddr.js';

/**
 * Addresses that answer a cloud's virtual machines only, and are public by their number. (The usual one,
 * 169.254.169.254, is link-local.)
 */
const METADATA = new Set(['168.63.129.16']);

/**
 * Whether an address is one that anybody on the internet may have. Not so: loopback, private, link-local, carrier-grade
 * NAT, multicast, reserved, documentation, metadata services; and IPv6 addresses that wrap an IPv4 address to go through
 * a gateway (NAT64, 6to4, Teredo).
 * @param address an IP address; an IPv4 address that IPv6 wraps (`::ffff:127.0.0.1`) counts as itself
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return parsed.range() === 'unicast' && !METADATA.has(parsed.toString());
}

/** The IP address that a URL's host is; undefined for a name. */
export function addressOfHost(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return ipaddr.isValid(bare) ? bare : undefined;
}
