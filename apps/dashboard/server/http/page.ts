import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import helmet from '@fastify/helmet';
import fastifyStatic from '@fastify/static';
import type { App } from '../app.js';
import { noSuchRoute, sendError } from './answer-errors.js';
import { notFound } from './api-error.js';

/** Where `npm run build` puts the page. */
export const BUILT_PAGE = fileURLToPath(new URL('../page', import.meta.url));
const INDEX = 'index.html';
/** File names in this folder contain a content hash. */
const HASHED = '/assets/';
/** Paths with these prefixes belong to the API; unknown ones get a 404, not the page. */
const OF_THE_API = /^\/(api|v1)(\/|$)/;

/** Serves the page's files; other paths get the page, which routes them itself. */
export async function servePage(app: App, directory: string): Promise<void> {
  const built = existsSync(join(directory, INDEX));
  if (built) {
    await app.register(fastifyStatic, {
      root: directory,
      wildcard: false,
      preCompressed: true,
      cacheControl: false,
      setHeaders: (reply, path) => {
        const forever = path.includes(HASHED);
        reply.setHeader('cache-control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
        // Each file is precompressed.
        reply.setHeader('vary', 'accept-encoding');
      },
    });
  }
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const isPage =
      (request.method === 'GET' || request.method === 'HEAD') &&
      !OF_THE_API.test(path) &&
      (request.headers.accept ?? '').includes('text/html');
    if (!isPage) return sendError(reply, noSuchRoute(request.method));
    if (!built) return sendError(reply, notFound('page: it is not built', 'Build it: npm run build'));
    return reply.sendFile(INDEX);
  });
}

/** Content Security Policy: the page's own scripts only; no inline scripts or styles, and no other origins. */
const CONTENT_SECURITY = {
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'"],
  'img-src': ["'self'"],
  'font-src': ["'self'"],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'self'"],
  'frame-ancestors': ["'none'"],
};

/** The same for the reference page, whose images are in its style sheet. */
export const REFERENCE_CONTENT_SECURITY = Object.entries({
  ...CONTENT_SECURITY,
  'img-src': ["'self'", 'data:'],
})
  .map(([directive, sources]) => `${directive} ${sources.join(' ')}`)
  .join('; ');

export async function sendSecurityHeaders(app: App): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: CONTENT_SECURITY },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    referrerPolicy: { policy: 'no-referrer' },
    xFrameOptions: { action: 'deny' },
    // Strict-Transport-Security is up to the TLS terminator.
    strictTransportSecurity: false,
  });
}
