import type { FastifyRequest } from 'fastify';
import { ApiError } from '../http/api-error.js';

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
