import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../http/api-error.js';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an address (`127.0.0.1`, `::1`, `::ffff:127.0.0.1`) or `localhost` is a loopback address. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=\d+\.)/i, '');
  const version = isIP(bare);
  if (version === 0) return bare.toLowerCase() === 'localhost';
  return loopback.check(bare, version === 4 ? 'ipv4' : 'ipv6');
}

/** A proxy on this machine forwards remote requests. Proxies normally set one of these headers. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * Whether a request is local: it comes from a loopback address, through no proxy, and its `Host` is a loopback name too. A
 * web page whose own name resolves to 127.0.0.1 (DNS rebinding) sends its own name as the host.
 */
export function isLocal(request: FastifyRequest): boolean {
  const { remoteAddress } = request.raw.socket;
  if (remoteAddress === undefined || !isLoopback(remoteAddress)) return false;
  if (FORWARDED.some((header) => request.headers[header] !== undefined)) return false;
  return isToThisMachine(request);
}

/** Whether the `Host` of a request is a loopback name. */
export function isToThisMachine({ headers }: FastifyRequest): boolean {
  return isLoopback(hostNameOf(headers.host ?? ''));
}

function hostNameOf(host: string): string {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}

/**
 * Rejects cross-site requests. A browser sends its cookie, and reaches this machine, for any page open in it, so a request
 * without an API key must come from our page or the address bar, which browsers report in Sec-Fetch-Site. Other programs
 * send no such header.
 * @throws ApiError for a request from another site
 */
export function requireSameOrigin({ headers }: FastifyRequest): void {
  const { origin, referer, host } = headers;
  const site = headers['sec-fetch-site'];
  const ours = site === undefined || site === 'same-origin' || site === 'none';
  // Our page sends no Referer. Old browsers without Sec-Fetch-Site send the Referer of other pages.
  const from = origin ?? (site === undefined ? referer : undefined);
  if (ours && (from === undefined || hostOf(from) === host)) return;
  throw new ApiError(403, 'the request comes from a page of another site', {
    hint: 'Programs authenticate with the header Authorization: Bearer tcs_...',
  });
}

function hostOf(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).host : undefined;
}
