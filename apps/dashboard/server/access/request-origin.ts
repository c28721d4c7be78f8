import { BlockList, isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../http/api-error.js';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** Whether an address (`127.0.0.1`, `::1`, `::ffff:127.0.0.1`) or `localhost` is this machine's own. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').replace(/^::ffff:(?=\d+\.)/i, '');
  const version = isIP(bare);
  if (version === 0) return bare.toLowerCase() === 'localhost';
  return loopback.check(bare, version === 4 ? 'ipv4' : 'ipv6');
}

/** A proxy on this machine passes on what others ask: it says so, or ought to. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via'];

/**
 * Whether a request comes from this machine and means to: its address is, no proxy has passed it on, and the name it was
 * sent to is this machine's too (a web page whose own name was pointed at 127.0.0.1 sends that name).
 */
export function isLocal(request: FastifyRequest): boolean {
  const { remoteAddress } = request.raw.socket;
  if (remoteAddress === undefined || !isLoopback(remoteAddress)) return false;
  if (FORWARDED.some((header) => request.headers[header] !== undefined)) return false;
  return isToThisMachine(request);
}

/** Whether the name that a request was sent to is this machine's own. */
export function isToThisMachine({ headers }: FastifyRequest): boolean {
  return isLoopback(hostNameOf(headers.host ?? ''));
}

function hostNameOf(host: string): string {
  const url = `http://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : '';
}

/**
 * A browser sends its cookie, and reaches this machine, for whatever page is open in it. So whoever comes without a key of
 * their own, to change or to read, must come from our own page or from the address bar: browsers say where from. Programs
 * that are none say nothing.
 * @throws ApiError for a request of another site
 */
export function requireSameOrigin({ headers }: FastifyRequest): void {
  const { origin, referer, host } = headers;
  const site = headers['sec-fetch-site'];
  const ours = site === undefined || site === 'same-origin' || site === 'none';
  // Our own page sends no Referer. Old browsers, which do not say Sec-Fetch-Site, send that of another page.
  const from = origin ?? (site === undefined ? referer : undefined);
  if (ours && (from === undefined || hostOf(from) === host)) return;
  throw new ApiError(403, 'the request comes from a page of another site', {
    hint: 'Programs authenticate with the header Authorization: Bearer tcs_...',
  });
}

function hostOf(address: string): string | undefined {
  return URL.canParse(address) ? new URL(address).host : undefined;
}
