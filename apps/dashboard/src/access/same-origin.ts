import type { FastifyRequest } from 'fastify';
import { ApiError } from '../http/api-error.js';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser sends its cookie, and reaches this machine, for whatever page is open in it. What changes something must come
 * from our own page: browsers say where from. Programs that are none say nothing.
 * @throws ApiError for a request of another site
 */
export function requireSameOrigin(request: FastifyRequest): void {
  if (SAFE.has(request.method)) return;
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  const ours = site === undefined || site === 'same-origin' || site === 'none';
  if (ours && (origin === undefined || hostOf(origin) === host)) return;
  throw new ApiError(403, 'the request comes from a page of another site', {
    hint: 'Programs authenticate with the header Authorization: Bearer tcs_...',
  });
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
