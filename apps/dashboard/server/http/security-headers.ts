import helmet from '@fastify/helmet';
import type { App } from '../app.js';

/** The page runs its own files and nothing else; no markup of anybody's, no style in it, nothing from elsewhere. */
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

/** The same for the reference page, whose pictures are in its style sheet. */
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
    // Whoever ends TLS says for how long, and for which names.
    strictTransportSecurity: false,
  });
}
